import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { type MailDestination, parseDestination, silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createSocketNetwork } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { serveRelay } from '@sallyport/conformance/backends'
import { createSmtpAdapter } from '../src/index.ts'

const mebibyte = 1024 * 1024
const totalBytes = 64 * mebibyte
/** Buffers of streams and of the sockets between both ends, with much room. */
const maxHeldBytes = 16 * mebibyte

it('a message of 64 MiB is never held as a whole, and arrives as it was', async () => {
  const block = randomBytes(mebibyte / 16)
  const sent = createHash('sha256')
  const received = createHash('sha256')
  let produced = 0
  let arrived = 0
  let mostHeld = 0
  let inBody = false
  await using network = createSocketNetwork()
  const address = await network.serve((far) => {
    // Slower than the source: between two reads everything else has its turn.
    far.stream.on('data', () => {
      far.stream.pause()
      setImmediate(() => far.stream.resume())
    })
    serveRelay(far, {
      onData(line) {
        const text = line.toString('latin1').trimEnd()
        if (inBody && text !== '') {
          const bytes = Buffer.from(text, 'base64')
          received.update(bytes)
          arrived += bytes.length
        }
        // The message has one part; its head ends with the first empty line.
        if (text === '') inBody = true
        mostHeld = Math.max(mostHeld, produced - arrived)
      },
    })
  })
  const destination = parseDestination({
    Name: 'POST',
    Type: 'MAIL',
    'mail.smtp.host': address.host,
    'mail.smtp.port': String(address.port),
    'mail.from': 'robot@acme.test',
  }) as MailDestination
  await using client = await createSmtpAdapter({ clock: systemClock }).connect(destination, {
    dial: createDirectDial(),
    credentials: { kind: 'none' },
    signal: AbortSignal.timeout(10_000),
    log: silentLogger,
  })
  const content = new Readable({
    read() {
      if (produced >= totalBytes) this.push(null)
      else {
        produced += block.length
        sent.update(block)
        this.push(block)
      }
    },
  })
  const attachments = [{ content, contentType: 'application/octet-stream' }]
  await client.send({ to: 'jane@acme.test', subject: 'Large', attachments })
  expect(arrived).toBe(totalBytes)
  expect(received.digest('hex')).toBe(sent.digest('hex'))
  expect(mostHeld).toBeLessThan(maxHeldBytes)
}, 30_000)
