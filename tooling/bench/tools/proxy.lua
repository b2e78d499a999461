-- wrk as an application behind the HTTP proxy: absolute form, a token, and the headers of an OData client. With BENCH_USER_TOKEN the person behind the
-- request is propagated, too.
local authority = os.getenv("BENCH_AUTHORITY")
local user = os.getenv("BENCH_USER_TOKEN")
wrk.method = "GET"
wrk.path = "http://" .. authority .. "/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner?$top=1"
wrk.headers["Host"] = authority
wrk.headers["Proxy-Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
wrk.headers["User-Agent"] = "bench"
wrk.headers["Accept"] = "application/json"
wrk.headers["sap-client"] = "100"
wrk.headers["X-CSRF-Token"] = "Fetch"
if user then wrk.headers["SAP-Connectivity-Authentication"] = "Bearer " .. user end
