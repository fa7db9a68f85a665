-- Run by a real darktable (--luacmd): a photograph imported, and given to the script's finalize as if exported.
-- TINCT_DARKTABLE_FOLDER has photograph.tif; what darktable knows afterwards is written there as report.txt.

local dt = require "darktable"
local folder = os.getenv("TINCT_DARKTABLE_FOLDER")

local function report(...)
  local file = assert(io.open(folder .. "/report.txt", "a"))
  file:write(table.concat({ ... }, "\t"), "\n")
  file:close()
end

local function run()
  dt.preferences.write("tinct", "program", "string", os.getenv("TINCT_DARKTABLE_PROGRAM"))
  local script = dofile(os.getenv("TINCT_DARKTABLE_SCRIPT"))
  report("darktable", dt.configuration.version)
  local image = dt.database.import(folder .. "/photograph.tif")
  local exported = folder .. "/exported.tif" -- a copy: darktable's own export wants a window that is there
  local from, to = assert(io.open(folder .. "/photograph.tif", "rb")), assert(io.open(exported, "wb"))
  to:write(from:read("*a"))
  from:close()
  to:close()
  script.finalize(nil, { [image] = exported }, {})
  for _, member in ipairs(image:get_group_members()) do
    report("group", member.filename)
  end
end

-- darktable runs this once it has its window; widgets cannot be read before.
dt.control.dispatch(function()
  dt.control.sleep(3000)
  local ok, message = pcall(run)
  report("ok", tostring(ok), tostring(message))
  os.exit(0)
end)
