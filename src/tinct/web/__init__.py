"""The studio's server: a REST interface and a page, which colorize by the library's own functions.

- `app` puts the application together, `serving` runs it under uvicorn, `settings` holds the numbers of a server.
- `access`, `body_limits` and `connection` check a request before any route sees it: who asks, how much and how slowly.
- `colorize_routes`, `session_routes`, `archive_routes` and `page_routes` are the routes; `documentation` describes
  them.
- `parsing` reads requests, `responses` makes responses, `cancellation` ends work that no client waits for any more.
- `sessions` holds uploads and decoded photographs between requests, `fair_share` shares sessions among clients.
- `jobs` are the functions that `worker_pool` runs in threads; `session_work` runs one job at a time for each session.
- `decoding` decodes files in processes, which run `decoder_worker`.
"""
