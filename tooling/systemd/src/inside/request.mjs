// `request.mjs <path>`: one request of an application to the virtual host, with the binding on standard input. Prints status and body.
import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'

const { clientid, clientsecret, url } = JSON.parse(await text(process.stdin)).connectivity[0].credentials
const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientid, client_secret: clientsecret })
const answer = await fetch(`${url}/oauth/token`, { method: 'POST', body: form, headers: { accept: 'application/json' } })
const { access_token: token } = await answer.json()
const headers = { host: 'erp.virtual:80', 'proxy-authorization': `Bearer ${token}` }
const sent = request({ host: '127.0.0.1', port: 20_003, path: `http://erp.virtual:80${process.argv[2]}`, headers, agent: false })
sent.end()
const [response] = await once(sent, 'response')
console.log(`${response.statusCode} ${await text(response)}`)
