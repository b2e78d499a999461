-- wrk as applications that look destinations up: every line of BENCH_REQUESTS is a path, a blank and a token; they are sent in turn.
local requests, at = {}, 0
for line in io.lines(os.getenv("BENCH_REQUESTS")) do
  local path, token = line:match("^(%S+) (%S+)$")
  requests[#requests + 1] = wrk.format("GET", path, { Authorization = "Bearer " .. token, Accept = "application/json", Host = "localhost" })
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
