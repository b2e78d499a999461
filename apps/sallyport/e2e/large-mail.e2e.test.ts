import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Dovecot, type Postfix, skipUnless, skipUnlessRoot, startDovecot, startPostfix } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createInstallation, type Installation } from './installation.ts'

/** Of the attachment. `E2E_TRANSFER_MIB=1024` shows a GiB; the bound on memory stays the same. */
const transferMiB = Number(process.env['E2E_TRANSFER_MIB'] ?? 48)
/** What each process may have taken at its worst, whatever the size of the mail: Node with what it has loaded, windows, and a collector that takes its time. */
const maxPeakMiB = 400
/** A GiB takes some minutes in both directions. */
const timeoutMs = 60_000 + transferMiB * 1500

const roles = ['token-service', 'destination-service', 'connectivity-proxy', 'connector'] as const
/** The connectivity proxy is two parts. */
const partsOf = { 'token-service': 1, 'destination-service': 2, 'connectivity-proxy': 4 } as const

/** What the application says of what it has done. */
interface Task {
  readonly sha256: string
  readonly bytes: number
  readonly peakMiB: number
  readonly seconds: number
}

const destination = (name: string, properties: Readonly<Record<string, string>>): object => ({
  Name: name,
  Type: 'MAIL',
  ProxyType: 'OnPremise',
  ...properties,
})

describe.skipIf(skipUnless('postfix', 'dovecot') || skipUnlessRoot())('a large mail', () => {
  let postfix: Postfix
  let dovecot: Dovecot
  let stack: Installation
  let onPremise: string
  const pids = new Map<string, number>()

  beforeAll(async () => {
    postfix = await startPostfix({ mailboxes: ['large'] })
    // Both run as the same user, so that one delivers what the other shows.
    dovecot = await startDovecot({ users: { large: 'p4ss' }, configuration: `mail_location = maildir:${postfix.mailbox('large').folder}` })
    stack = await createInstallation()
    onPremise = join(stack.folder, 'on-premise')
    const destinations = [
      destination('POST', {
        Authentication: 'NoAuthentication',
        'mail.transport.protocol': 'smtp',
        'mail.smtp.host': 'post.corp',
        'mail.smtp.port': '25',
        'mail.from': 'robot@acme.test',
      }),
      destination('POSTBOX', {
        Authentication: 'BasicAuthentication',
        'mail.transport.protocol': 'imap4',
        'mail.imap4.host': 'post.corp',
        'mail.imap4.port': '143',
        'mail.user': 'large',
        'mail.password': 'p4ss',
      }),
    ]
    const mappings = [
      { virtual: 'post.corp:25', internal: `tcp://127.0.0.1:${postfix.port}` },
      { virtual: 'post.corp:143', internal: `tcp://127.0.0.1:${dovecot.imapPort}` },
    ]
    // JSON is YAML.
    writeFileSync(stack.file('server.yaml'), JSON.stringify({ version: 1, subaccounts: [{ id: 'demo', destinations }] }))
    writeFileSync(stack.file('connector.yaml'), JSON.stringify({ version: 1, connectors: [{ mappings }] }))
    const start = (role: (typeof roles)[number], data: string): void => {
      const file = stack.file(role === 'connector' ? 'connector.yaml' : 'server.yaml')
      const { pid } = stack.start(['serve', role, '--config', file, '--port-offset', String(stack.portOffset)], { data })
      if (pid === undefined) throw new Error(`${role} was not started`)
      pids.set(role, pid)
    }
    for (const role of ['token-service', 'destination-service', 'connectivity-proxy'] as const) {
      start(role, stack.data)
      await stack.ready(partsOf[role])
    }
    const { code } = await stack.json<{ code: string }>(['connector', 'code', '--subaccount', 'demo'])
    const server = ['--server', `https://localhost:${stack.port('connectivityApi')}`, '--authority', join(stack.data, 'ca.crt')]
    const paired = await stack.run(['connector', 'init', ...server, '--config', stack.file('connector.yaml')], {
      data: onPremise,
      environment: { SALLYPORT_PAIRING_CODE: code },
    })
    if (paired.code !== 0) throw new Error(`${paired.stdout}${paired.stderr}`)
    start('connector', onPremise)
    await stack.ready(1, { data: onPremise })
  }, 120_000)
  afterAll(async () => {
    await stack?.run(['stop'], { data: onPremise }).catch(() => {})
    for (const each of [stack, dovecot, postfix]) await each?.[Symbol.asyncDispose]()
  })

  const perform = async (task: 'send' | 'fetch'): Promise<Task> => {
    const program = [process.execPath, join(import.meta.dirname, 'clients', 'large-mail.mjs'), task, String(transferMiB)]
    const { code, stdout, stderr } = await stack.run(['exec', '--', ...program], { timeoutMs })
    if (code !== 0) throw new Error(`${stdout}${stderr}`)
    return JSON.parse(stdout) as Task
  }

  it(
    `with an attachment of ${transferMiB} MiB is sent and read unchanged, each process in bounded memory`,
    async ({ annotate }) => {
      const sent = await perform('send')
      await postfix.mailbox('large').arrived(1, AbortSignal.timeout(timeoutMs))
      const read = await perform('fetch')
      expect([read.bytes, read.sha256]).toEqual([transferMiB * 1024 * 1024, sent.sha256])
      const peaks = {
        sender: sent.peakMiB,
        reader: read.peakMiB,
        ...Object.fromEntries([...pids].map(([role, pid]) => [role, peakMiBOf(pid)])),
      }
      const figures = { transferMiB, sendSeconds: sent.seconds, readSeconds: read.seconds, peakMiB: peaks }
      await annotate(`for docs/reliability.md: ${JSON.stringify(figures)}`)
      expect(Object.entries(peaks).filter(([, peakMiB]) => !(peakMiB < maxPeakMiB))).toEqual([])
    },
    3 * timeoutMs,
  )
})

/** The most resident memory that a process has had. */
function peakMiBOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024
}
