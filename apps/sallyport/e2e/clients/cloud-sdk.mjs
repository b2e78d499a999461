// The SAP Cloud SDK as an application uses it: only the bindings in the environment, a destination name and the user's token.
import { executeHttpRequest } from '@sap-cloud-sdk/http-client'

const [destinationName, url, jwt, method = 'get', body] = process.argv.slice(2)
const destination = { destinationName, ...(jwt ? { jwt } : {}), useCache: false }
const fetchCsrfToken = method !== 'get'
try {
  const response = await executeHttpRequest(destination, { method, url, ...(body ? { data: JSON.parse(body) } : {}) }, { fetchCsrfToken })
  console.log(JSON.stringify({ status: response.status, headers: response.headers, data: response.data }))
} catch (error) {
  console.log(
    JSON.stringify({
      error: error.message,
      cause: error.cause?.message,
      status: error.response?.status ?? error.cause?.response?.status,
      data: error.response?.data ?? error.cause?.response?.data,
    }),
  )
  process.exitCode = 1
}
