-- wrk as an application behind the HTTP proxy: absolute form, a token, and the headers of an OData client.
wrk.method = "GET"
wrk.path = "http://erp.internal:80/sap/opu/odata/sap/API_BUSINESS_PARTNER/A_BusinessPartner?$top=1"
wrk.headers["Host"] = "erp.internal:80"
wrk.headers["Proxy-Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
wrk.headers["User-Agent"] = "bench"
wrk.headers["Accept"] = "application/json"
wrk.headers["sap-client"] = "100"
wrk.headers["X-CSRF-Token"] = "Fetch"
