-- Run by a real darktable (--luacmd): a photograph imported, exported as TIFF, and given to the script's finalize.
-- TINCT_DARKTABLE_FOLDER has photograph.tif; what darktable knows afterwards is written there as report.txt.

local dt = require "darktable"
local folder = os.getenv("TINCT_DARKTABLE_FOLDER")
local report = assert(io.open(folder .. "/report.txt", "w"))
local ok, message = pcall(function()
  dt.preferences.write("tinct", "program", "string", os.getenv("TINCT_DARKTABLE_PROGRAM"))
  local script = dofile(os.getenv("TINCT_DARKTABLE_SCRIPT"))
  local image = dt.database.import(folder .. "/photograph.tif")
  local format = dt.new_format("tiff")
  format.bpp = 16
  local exported = folder .. "/exported.tif"
  format:write_image(image, exported)
  script.finalize(nil, { [image] = exported }, {})
  report:write("darktable\t", dt.configuration.version, "\n")
  report:write("storage\t", tostring(dt.new_storage("tinct").name), "\n")
  for _, member in ipairs(image:get_group_members()) do
    report:write("group\t", member.filename, "\n")
  end
end)
report:write("ok\t", tostring(ok), "\t", tostring(message), "\n")
report:close()
dt.control.quit = nil
os.exit(0)
