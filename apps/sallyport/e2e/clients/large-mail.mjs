// An application that sends a mail with a large attachment, or reads it. Says the digest of the attachment and the most memory that it has had.
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'

const [task, mebibytes] = process.argv.slice(2)
const digest = createHash('sha256')
let bytes = 0

function* blocks() {
  const block = randomBytes(1024 * 1024)
  for (let number = 0; number < Number(mebibytes); number += 1) {
    block.writeUInt32BE(number)
    digest.update(block)
    bytes += block.length
    yield Buffer.from(block)
  }
}

const tasks = {
  async send() {
    const { connect } = await import('@sallyport/smtp')
    await using client = await connect('POST')
    const attachments = [{ filename: 'large.bin', content: Readable.from(blocks(), { objectMode: false }) }]
    await client.send({ to: 'large@acme.test', subject: 'Large', text: 'See the attachment.', attachments })
  },
  async fetch() {
    const { connect } = await import('@sallyport/imap')
    await using client = await connect('POSTBOX')
    await client.withMailbox('INBOX', async (flow) => {
      const { content } = await flow.download('1', '2', { chunkSize: 1024 * 1024 })
      for await (const part of content) {
        digest.update(part)
        bytes += part.length
      }
    })
  },
}

const begun = performance.now()
await tasks[task]()
const seconds = (performance.now() - begun) / 1000
console.log(JSON.stringify({ sha256: digest.digest('hex'), bytes, peakMiB: process.resourceUsage().maxRSS / 1024, seconds }))
