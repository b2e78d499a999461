// `first-log-on.mjs <data folder> <new password>`: what the connector asks for first. Prints the statuses.
import { readFileSync } from 'node:fs'

const [data, newPassword] = process.argv.slice(2)
const oldPassword = readFileSync(`${data}/connector/initial-password`, 'utf8').trim()
const call = async (method, path, password, body) => {
  const authorization = `Basic ${Buffer.from(`Administrator:${password}`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json' }
  const url = `https://localhost:8443/api/v1/configuration/connector${path}`
  return (await fetch(url, { method, headers, body: JSON.stringify(body) })).status
}
const changed = await call('PUT', '/authentication/basic', oldPassword, { oldPassword, newPassword })
console.log(changed, await call('POST', '/haRole', newPassword, 'master'))
