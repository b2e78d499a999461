// sap-cf-axios as an application uses it.
import { createRequire } from 'node:module'

const SapCfAxios = createRequire(import.meta.url)('sap-cf-axios').default
const [destination, url, jwt] = process.argv.slice(2)
try {
  const response = await SapCfAxios(destination)({ method: 'GET', url, headers: jwt ? { authorization: `Bearer ${jwt}` } : {} })
  console.log(JSON.stringify({ status: response.status, data: response.data }))
} catch (error) {
  console.log(JSON.stringify({ error: error.message, status: error.response?.status, data: error.response?.data }))
  process.exitCode = 1
}
