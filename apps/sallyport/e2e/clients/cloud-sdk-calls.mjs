// Several calls of the SAP Cloud SDK in one process: argv is the major version and a JSON list of calls, the answer a list of outcomes.
// A call is { destinationName, url, method, data, ... } where everything else goes to the SDK as it is (jwt, refreshToken, selectionStrategy, iss).
const [version, calls] = process.argv.slice(2)
const { executeHttpRequest } = await import(version === '3' ? 'sdk3-http-client' : '@sap-cloud-sdk/http-client')
const connectivity = await import(version === '3' ? 'sdk3-connectivity' : '@sap-cloud-sdk/connectivity')

const outcomes = []
for (const { url, method = 'get', data, selectionStrategy, ...destination } of JSON.parse(calls)) {
  try {
    const options = {
      ...destination,
      useCache: false,
      ...(selectionStrategy ? { selectionStrategy: connectivity[selectionStrategy] } : {}),
    }
    const found = await connectivity.getDestination(options)
    if (found === null) throw new Error(`no destination ${destination.destinationName}`)
    const response = await executeHttpRequest(options, { method, url, ...(data ? { data } : {}) }, { fetchCsrfToken: method !== 'get' })
    const { authTokens = [], certificates = [], originalProperties } = found
    outcomes.push({
      status: response.status,
      data: response.data,
      owner: originalProperties?.owner,
      authTokens: authTokens.map(({ type, error }) => ({ type, error })),
      certificates: certificates.map(({ name, type }) => ({ name, type })),
    })
  } catch (error) {
    const causes = []
    for (let cause = error; cause; cause = cause.cause) causes.push(cause.message)
    const { response } = error.response ? error : (error.cause ?? {})
    outcomes.push({ error: causes.join(' <- '), status: response?.status, data: response?.data })
  }
}
console.log(JSON.stringify(outcomes))
