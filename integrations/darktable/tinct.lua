--[[
tinct: a target of darktable's export that gives photographs color, and groups each result with its original.

Needs the program `tinct` (pipx install tinct) and a darktable with Lua (its AppImage has none). Licence: MIT.
Version 0.1.0.
]]

local dt = require "darktable"

local MODULE = "tinct"
local LEAST_API = 7 -- darktable 3.2

if dt.configuration.api_version_major < LEAST_API then
  error("tinct.lua needs darktable 3.2 or newer: Lua API " .. LEAST_API .. ", and this is "
    .. dt.configuration.api_version_major)
end

local windows = dt.configuration.running_os == "windows"
local has_system, system = pcall(require, "lib/dtutils.system") -- of lua-scripts; knows Windows' quoting

local script_data = {}

-- Text as one word of a command line.
function script_data.quote(text)
  if windows then
    return '"' .. text:gsub('"', "") .. '"'
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The command line that colorizes one exported file.
function script_data.command(program, exported, result, reference, vividness)
  local words = { script_data.quote(program), "colorize", script_data.quote(exported), "-o",
    script_data.quote(result), "--vividness", string.format("%.2f", vividness):gsub(",", ".") .. "" }
  if reference and reference ~= "" then
    table.insert(words, "-r")
    table.insert(words, script_data.quote(reference))
  end
  return table.concat(words, " ")
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

-- Where the result of an image goes: beside it, under a name that is free.
function script_data.free_name(folder, filename, suffix)
  local separator = windows and "\\" or "/"
  local stem = folder .. separator .. filename:gsub("%.[^.]*$", "") .. ".color"
  local path, number = stem .. suffix, 1
  while exists(path) do
    path = string.format("%s_%02d%s", stem, number, suffix)
    number = number + 1
  end
  return path
end

local reference_widget = dt.new_widget("file_chooser_button") {
  title = "a color photograph to take colors from",
  is_directory = false,
  tooltip = "a color photograph to take colors from; none is needed",
}
local vividness_widget = dt.new_widget("slider") {
  label = "vividness", soft_min = 0, soft_max = 2, hard_min = 0, hard_max = 2, step = 0.05, digits = 2, value = 1,
  tooltip = "0 is the safe mean, 1 likely colors, 2 daring ones",
}

local function execute(command)
  if has_system then
    return system.external_command(command)
  end
  return dt.control.execute(command)
end

-- Colorize one exported file and take the result into the library, in its original's group.
function script_data.colorize(image, exported)
  local program = dt.preferences.read(MODULE, "program", "string")
  if program == "" then
    program = "tinct"
  end
  local result = script_data.free_name(image.path, image.filename, exported:match("%.[^.]*$") or ".tif")
  local command = script_data.command(program, exported, result, reference_widget.value, vividness_widget.value)
  local code = execute(command)
  os.remove(exported)
  if code ~= 0 or not exists(result) then
    dt.print("tinct could not colorize " .. image.filename .. "; darktable's terminal says why")
    dt.print_error("tinct: this ended with " .. tostring(code) .. ": " .. command)
    return nil
  end
  local colored = dt.database.import(result)
  colored:group_with(image.group_leader or image)
  return colored
end

-- Called once, when all images are exported: image_table has the exported file of each image.
function script_data.finalize(_, image_table, _)
  local done, total = 0, 0
  for image, exported in pairs(image_table) do
    total = total + 1
    if script_data.colorize(image, exported) then
      done = done + 1
    end
  end
  dt.print(string.format("tinct colorized %d of %d photographs", done, total))
end

-- Formats that tinct reads and writes.
function script_data.supported(_, format)
  local suffix = format.extension
  return suffix == "tif" or suffix == "png" or suffix == "jpg" or suffix == "webp"
end

dt.preferences.register(MODULE, "program", "string", "tinct: program",
  "the name of tinct's program, or its path where darktable does not find it", "tinct")

dt.register_storage(MODULE, "colorize with tinct", nil, script_data.finalize, script_data.supported, nil,
  dt.new_widget("box") { orientation = "vertical", reference_widget, vividness_widget })

function script_data.destroy()
  dt.destroy_storage(MODULE)
end

script_data.metadata = {
  name = "tinct",
  purpose = "colorize black-and-white photographs",
  author = "tinct",
  help = "README.md",
}

return script_data
