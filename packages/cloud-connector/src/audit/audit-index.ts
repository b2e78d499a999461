import { createHmac, randomBytes, type KeyObject } from 'node:crypto'
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Which subaccounts have a log, so that a whole one cannot disappear unnoticed. */
export interface AuditIndex {
  has(subaccount: string): boolean
  /** Remembers a log that now exists. Settles when that is on stable storage. */
  add(subaccount: string): Promise<void>
}

/** What an index file says. */
export interface AuditIndexContent {
  readonly subaccounts: readonly string[]
  /** An index was missing or altered before although there were logs, and which ones it named is not known. */
  readonly wasLost: boolean
}

/** Name of the file, beside the folders of the subaccounts. */
export const auditIndexFile = 'audit-log.index'

const lostMark = '!lost'

/**
 * Opens the index of an audit folder that exists. When logs are there but no index that was written with this key, a new one is begun that says so for ever.
 */
export async function openAuditIndex(options: { readonly folder: string; readonly key: KeyObject }): Promise<AuditIndex> {
  const { folder, key } = options
  const found = await readAuditIndex(options)
  const isNew = found === 'missing' && (await listLogs(folder)).length === 0
  const wasLost = typeof found === 'object' ? found.wasLost : !isNew
  const known = new Set(typeof found === 'object' ? found.subaccounts : [])
  return {
    has: (subaccount) => known.has(subaccount),
    async add(subaccount) {
      if (known.has(subaccount)) return
      await replaceFile(join(folder, auditIndexFile), format(key, { subaccounts: [...known, subaccount], wasLost }))
      known.add(subaccount)
    },
  }
}

/** `missing` when there is none, `altered` when it was not written with this key. */
export async function readAuditIndex(options: {
  readonly folder: string
  readonly key: KeyObject
}): Promise<AuditIndexContent | 'missing' | 'altered'> {
  let text: string
  try {
    text = await readFile(join(options.folder, auditIndexFile), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing'
    throw error
  }
  const [, body, hmac] = /^((?:[^\n]*\n)*)([\w-]{43})\n$/.exec(text) ?? []
  if (body === undefined || hmac !== indexHmac(options.key, body)) return 'altered'
  const lines = body.split('\n').slice(0, -1)
  return {
    subaccounts: lines.filter((line) => line !== lostMark).map((line) => decodeURIComponent(line)),
    wasLost: lines.includes(lostMark),
  }
}

/** Folders of subaccounts; none when the audit folder does not exist yet. */
export async function listLogs(folder: string): Promise<readonly string[]> {
  const items = await readdir(folder, { withFileTypes: true })
  return items.filter((item) => item.isDirectory()).map(({ name }) => name)
}

/** One line per subaccount. `encodeURIComponent` leaves `!` as it is, so a subaccount of that name is told apart by its first character. */
function format(key: KeyObject, { subaccounts, wasLost }: AuditIndexContent): string {
  const lines = subaccounts.map((subaccount) => encodeURIComponent(subaccount).replace(/^!/, '%21'))
  const body = [...(wasLost ? [lostMark] : []), ...lines].map((line) => `${line}\n`).join('')
  return `${body}${indexHmac(key, body)}\n`
}

function indexHmac(key: KeyObject, body: string): string {
  return createHmac('sha256', key).update(`index\n${body}`).digest('base64url')
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}`
  try {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(text)
    await file.datasync()
    await rename(temporary, path)
    // The name is on stable storage only when its folder is.
    await using folder = await open(dirname(path))
    await folder.sync()
  } finally {
    await rm(temporary, { force: true })
  }
}
