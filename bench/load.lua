-- wrk's script: requests from a file (token, tab, path, tab, body a line), answers counted by status.
-- Arguments: the file. It prints one line of JSON at the end.

local threads = {}
local number = 0

function setup(thread)
  thread:set("number", number)
  number = number + 1
  table.insert(threads, thread)
end

function init(args)
  created, refused, other = 0, 0, 0
  lines = {}
  math.randomseed(os.time() * 100 + number)
  for line in io.lines(args[1]) do
    local token, path, body = line:match("^(.-)\t(.-)\t(.*)$")
    local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
    table.insert(lines, wrk.format("POST", path, headers, body))
  end
end

function request()
  return lines[math.random(#lines)]
end

function response(status)
  if status == 201 then
    created = created + 1
  elseif status == 402 then
    refused = refused + 1
  else
    other = other + 1
  end
end

function done(summary, latency)
  local created, refused, other = 0, 0, 0
  for _, thread in ipairs(threads) do
    created = created + thread:get("created")
    refused = refused + thread:get("refused")
    other = other + thread:get("other")
  end
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format(
    '\n{"seconds": %f, "created": %d, "refused": %d, "other": %d, "errors": %d, "p50": %f, "p99": %f}\n',
    summary.duration / 1e6, created, refused, other, errors, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
