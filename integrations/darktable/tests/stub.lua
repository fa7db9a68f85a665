-- darktable's interface as far as tinct.lua uses it, for a plain Lua; what is asked of darktable is written to a log.
-- lua stub.lua SCRIPT PROGRAM FOLDER PHOTOGRAPH...: exports each photograph (a copy) through the script.

local script, program, folder = arg[1], arg[2], arg[3]
local log = {}
local registered = {}

local function note(...)
  table.insert(log, table.concat({ ... }, "\t"))
end

local function image_of(path)
  local image = { path = path:match("(.*)/"), filename = path:match("([^/]*)$") }
  image.group_leader = image
  function image:group_with(leader)
    note("group", self.filename, leader.filename)
  end
  return image
end

local darktable = {
  configuration = { api_version_major = tonumber(os.getenv("API") or "9"), running_os = "linux" },
  preferences = { register = function() end, read = function() return program end },
  new_widget = function(kind)
    return function(given)
      given.kind = kind
      return given
    end
  end,
  register_storage = function(name, label, store, finalize, supported, initialize, widget)
    assert(store == nil and initialize == nil and type(widget) == "table")
    registered = { name = name, label = label, finalize = finalize, supported = supported }
  end,
  destroy_storage = function(name) note("destroyed", name) end,
  print = function(text) note("print", text) end,
  print_error = function(text) note("error", text) end,
  control = { execute = function(command)
    note("command", command)
    local _, _, code = os.execute(command)
    return code
  end },
  database = { import = function(path)
    note("import", path)
    return image_of(path)
  end },
}
package.preload["darktable"] = function() return darktable end

local data = dofile(script)
assert(registered.supported(nil, { extension = "tif" }) and not registered.supported(nil, { extension = "exr" }))
local exported = {}
for number = 4, #arg do
  local copy = folder .. "/exported_" .. number .. arg[number]:match("%.[^.]*$")
  local from, to = assert(io.open(arg[number], "rb")), assert(io.open(copy, "wb"))
  to:write(from:read("a"))
  from:close()
  to:close()
  exported[image_of(arg[number])] = copy
end
registered.finalize(nil, exported, {})
data.destroy()
print(table.concat(log, "\n"))
