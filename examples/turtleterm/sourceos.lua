-- The state of sourceos-syncd in the status line of a terminal that is configured in Lua.
--
--   local sourceos = dofile(os.getenv('HOME') .. '/.config/turtleterm/sourceos.lua')
--   sourceos.attach(require 'turtleterm')
--
-- It reads one small file, which the daemon replaces whenever something changes, and starts no
-- process. A daemon that was killed leaves its file behind: the process that it names has to be
-- there, or the state is daemon-unavailable.
local sourceos = {}

-- What is shown for each state; nothing else is a state.
sourceos.states = {
  ['clean'] = { text = '✓ state', color = 'Green' },
  ['degraded'] = { text = '! degraded', color = 'Yellow' },
  ['conflicted'] = { text = '⇄ conflicts', color = 'Red' },
  ['policy-blocked'] = { text = '⊘ policy', color = 'Red' },
  ['offline'] = { text = '○ local only', color = 'Grey' },
  ['repair-recommended'] = { text = '✗ verify the log', color = 'Red' },
  ['daemon-unavailable'] = { text = '- no daemon', color = 'Grey' },
}

local FILE_MAX = 65536

function sourceos.file()
  local runtime = os.getenv('XDG_RUNTIME_DIR')
  return runtime and runtime .. '/sourceos-syncd/status.json'
end

local function read(path)
  local file = path and io.open(path, 'rb')
  if not file then return nil end
  local text = file:read(FILE_MAX)
  file:close()
  return text
end

-- The members of the document itself that are words or numbers. Strings are walked over, so that
-- nothing in one is taken for a member.
local function members(text)
  local found, depth, at, name = {}, 0, 1, nil
  while at <= #text do
    local char = text:sub(at, at)
    if char == '"' then
      local stop = at + 1
      while stop <= #text and text:sub(stop, stop) ~= '"' do
        stop = stop + (text:sub(stop, stop) == '\\' and 2 or 1)
      end
      local value = text:sub(at + 1, stop - 1)
      if depth == 1 and text:match('^%s*:', stop + 1) then name = value
      elseif depth == 1 and name then found[name], name = value, nil end
      at = stop + 1
    else
      if char == '{' or char == '[' then depth, name = depth + 1, nil end
      if char == '}' or char == ']' then depth = depth - 1 end
      local word = text:match('^[%w.+-]+', at)
      if word and depth == 1 and name then found[name], name = word, nil end
      at = at + (word and #word or 1)
    end
  end
  return found
end

local function is_alive(process)
  local name = process and process:match('^%d+$') and read('/proc/' .. process .. '/comm')
  return name ~= nil and name:match('^sourceos') ~= nil
end

-- One of the words above.
function sourceos.state(path)
  local text = read(path or sourceos.file())
  local found = text and members(text) or {}
  local state = found.daemon_state
  if not state or not sourceos.states[state] or not is_alive(found.pid) then
    return 'daemon-unavailable'
  end
  return state
end

-- Shows it at the right, as often as the terminal asks for it.
function sourceos.attach(terminal)
  terminal.on('update-right-status', function(window)
    local shown = sourceos.states[sourceos.state()]
    window:set_right_status(terminal.format({
      { Foreground = { AnsiColor = shown.color } },
      { Text = shown.text .. ' ' },
    }))
  end)
end

return sourceos
