import { ConnectivityError, createSecret } from '@sallyport/core'
import type { BindingFiles } from './binding-files.ts'
import { maxBindingBytes, maxBindings } from './limits.ts'
import type { ServiceBinding } from './service-binding.ts'

/**
 * Reads bindings as servicebinding.io mounts them: a directory per binding, a file per property, `.metadata` describing
 * which properties are metadata and which are JSON. A directory without a file `type` is no binding.
 */
export async function readBindingDirectory(root: string, files: BindingFiles): Promise<ServiceBinding[]> {
  const directories = (await files.list(root)).filter((name) => !name.startsWith('.')).toSorted()
  if (directories.length > maxBindings) throw new ConnectivityError('BINDING_INVALID', `${root}: more than ${maxBindings} bindings`)
  const bindings = await Promise.all(directories.map((name) => readBinding(`${root}/${name}`, name, root, files)))
  return bindings.filter((binding) => binding !== undefined)
}

async function readBinding(path: string, directory: string, source: string, files: BindingFiles): Promise<ServiceBinding | undefined> {
  let names: readonly string[]
  try {
    names = (await files.list(path)).filter((name) => !name.startsWith('..'))
  } catch {
    // A plain file beside the directories; the standard does not know it.
    return undefined
  }
  if (!names.includes('type')) return undefined
  if (names.length > maxBindings) throw new ConnectivityError('BINDING_INVALID', `${path}: more than ${maxBindings} properties`)
  const read = async (name: string): Promise<string> => {
    const text = await files.readFile(`${path}/${name}`)
    if (text.length > maxBindingBytes) throw new ConnectivityError('BINDING_INVALID', `${path}/${name}: too large`)
    // Editors end a file with a line break that is no part of a property.
    return text.replace(/\r?\n$/, '')
  }
  const described = names.includes('.metadata') ? parseMetadata(await read('.metadata'), path) : undefined
  const metaNames =
    described?.meta ??
    new Map([
      ['type', 'text'],
      ['provider', 'text'],
    ])
  const credentialNames =
    described?.credentials ?? new Map(names.filter((name) => !metaNames.has(name) && name !== '.metadata').map((name) => [name, 'text']))

  const meta: Record<string, unknown> = {}
  for (const [name, format] of metaNames) if (names.includes(name)) meta[name] = valueOf(await read(name), format, `${path}/${name}`)
  const credentials: Record<string, unknown> = {}
  for (const [name, format] of credentialNames) {
    if (!names.includes(name)) throw new ConnectivityError('BINDING_INVALID', `${path}/${name}: described in .metadata and missing`)
    const value = valueOf(await read(name), format, `${path}/${name}`)
    if (format === 'container' && typeof value === 'object' && value !== null) Object.assign(credentials, value)
    else credentials[name] = value
  }
  const type = String(meta['type'])
  return {
    name: typeof meta['instance_name'] === 'string' ? meta['instance_name'] : directory,
    label: typeof meta['label'] === 'string' ? meta['label'] : type,
    plan: typeof meta['plan'] === 'string' ? meta['plan'] : '',
    tags: Array.isArray(meta['tags']) ? meta['tags'].filter((tag): tag is string => typeof tag === 'string') : [],
    instanceGuid: typeof meta['instance_guid'] === 'string' ? meta['instance_guid'] : undefined,
    credentials: createSecret(credentials),
    source,
  }
}

interface Described {
  readonly meta: ReadonlyMap<string, string>
  readonly credentials: ReadonlyMap<string, string>
}

/** Property name -> `text`, `json`, or `container` for a JSON file whose members are the credentials. */
function parseMetadata(text: string, path: string): Described {
  const file = `${path}/.metadata`
  const content = valueOf(text, 'json', file)
  const propertiesOf = (member: string): Map<string, string> => {
    const list: unknown = typeof content === 'object' && content !== null ? (content as Record<string, unknown>)[member] : undefined
    if (!Array.isArray(list)) throw new ConnectivityError('BINDING_INVALID', `${file}: ${member} is not a list`)
    return new Map(
      list.map((entry: { name?: unknown; format?: unknown; container?: unknown }) => {
        // A name with a separator would read files outside of the binding.
        if (typeof entry?.name !== 'string' || /[/\\]|^\.\.?$/.test(entry.name)) {
          throw new ConnectivityError('BINDING_INVALID', `${file}: ${member} has an entry without a usable name`)
        }
        return [entry.name, entry.container === true ? 'container' : entry.format === 'json' ? 'json' : 'text']
      }),
    )
  }
  return { meta: propertiesOf('metaDataProperties'), credentials: propertiesOf('credentialProperties') }
}

function valueOf(text: string, format: string, path: string): unknown {
  if (format === 'text') return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    // The parser's own message quotes the text, which may be a secret.
    throw new ConnectivityError('BINDING_INVALID', `${path}: not JSON`)
  }
}
