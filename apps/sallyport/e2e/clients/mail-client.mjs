// The mail client of the SAP Cloud SDK as an application uses it: a MAIL destination, reached through SOCKS5.
import { sendMail } from '@sap-cloud-sdk/mail-client'

const [destinationName, jwt] = process.argv.slice(2)
try {
  const sent = await sendMail({ destinationName, ...(jwt ? { jwt } : {}), useCache: false }, [
    { to: 'john@acme.test', subject: 'Through the gate', text: 'and back' },
  ])
  console.log(JSON.stringify(sent.map(({ accepted, response }) => ({ accepted, response }))))
} catch (error) {
  console.log(JSON.stringify({ error: error.message, cause: error.cause?.message }))
  process.exitCode = 1
}
