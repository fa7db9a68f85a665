"""The studio's server: the REST interface and the page, on the same path as the library and the command line.

`settings` holds the numbers, `guard` says who may ask, `intake` how much and how slowly one may send,
`connection` does the same for whole connections; `pool` bounds the work, `sessions` what is kept between
requests, `requests` reads what came, `work` calls the library, `app` puts the routes together.
"""
