import { ConnectivityError } from '@sallyport/core'
import type { ServiceBinding, VcapServices } from './bindings.ts'
import type { DataFolder } from './data-folder.ts'

const fileName = 'default-env.json'

/** Keeps the bindings where CAP, approuter and xsenv read them, with mode 0600. Returns the path. */
export function writeBindings(folder: DataFolder, bindings: VcapServices): string {
  folder.write([fileName], `${JSON.stringify({ VCAP_SERVICES: bindings }, null, 2)}\n`)
  return folder.file(fileName)
}

/** @throws ConnectivityError `BINDING_INVALID` when no token service has run with this folder, or the file is damaged. */
export function readBindings(folder: DataFolder): VcapServices {
  const text = folder.read(fileName)
  if (text === undefined) throw neverWritten(folder, 'bindings')
  try {
    return (JSON.parse(text) as { VCAP_SERVICES: VcapServices }).VCAP_SERVICES
  } catch {
    // The parser's own message quotes the file, which holds secrets.
    throw new ConnectivityError('BINDING_INVALID', `${folder.file(fileName)} is not JSON`, {
      details: { next: 'remove it: the token service writes it whenever it starts' },
    })
  }
}

/** PEM of the authority of this installation. @throws ConnectivityError `BINDING_INVALID` when no part of it has run with this folder. */
export function readAuthority(folder: DataFolder): string {
  const text = folder.read('ca.crt')
  if (text !== undefined) return text
  throw neverWritten(folder, 'authority')
}

/** Who develops starts the stack; who operates an installation has named the folder of another process, or none. */
function neverWritten(folder: DataFolder, what: 'bindings' | 'authority'): ConnectivityError {
  const there = what === 'bindings' ? 'there are no bindings' : 'there is no authority'
  return folder.list().length === 0
    ? new ConnectivityError('BINDING_INVALID', `${there} in ${folder.path}: no installation has used this folder`, {
        details: { next: 'name the folder of the installation with --data; or start the local stack first: sallyport dev' },
      })
    : new ConnectivityError('BINDING_INVALID', `${there} in ${folder.path}: other parts of an installation use it, but no token service`, {
        details: {
          next: 'call this where the token service runs, with its folder: --data <folder>; to develop here, start the local stack: sallyport dev',
        },
      })
}

/** The written forms of the bindings, by the name that `bind --write` knows them under. */
export const bindingForms = ['default-env.json', '.cdsrc-private.json', '.env', 'k8s'] as const
export type BindingForm = (typeof bindingForms)[number]

/** Renders the bindings for a tool. `existing` is the file as it stands, whose other content is kept. */
export function formatBindings(form: BindingForm, bindings: VcapServices, existing: string | undefined): string {
  switch (form) {
    case 'default-env.json':
      return `${JSON.stringify({ ...parseObject(existing, form), VCAP_SERVICES: bindings }, null, 2)}\n`
    case '.cdsrc-private.json':
      return `${JSON.stringify(withHybridProfile(parseObject(existing, form), bindings), null, 2)}\n`
    case '.env':
      return [
        ...(existing ?? '').split('\n').filter((line) => line !== '' && !line.startsWith('VCAP_SERVICES=')),
        `VCAP_SERVICES=${JSON.stringify(bindings)}`,
        '',
      ].join('\n')
    case 'k8s':
      return Object.values(bindings)
        .map(([binding]) => formatSecret(binding))
        .join('---\n')
  }
}

/** A line for `eval`, quoted for POSIX shells. */
export function formatShell(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", String.raw`'\''`)}'\n`)
    .join('')
}

/** The same bindings with everything secret replaced, for showing. */
export function redactBindings(bindings: VcapServices): unknown {
  return JSON.parse(JSON.stringify(bindings, (key, value: unknown) => (key === 'clientsecret' || key === 'key' ? '(hidden)' : value)))
}

function parseObject(text: string | undefined, form: string): Record<string, unknown> {
  if (text === undefined || text.trim() === '') return {}
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `${form} exists and is not JSON; it was left as it is`, { cause })
  }
}

function withHybridProfile(file: Record<string, unknown>, bindings: VcapServices): unknown {
  const requires = { ...(file['requires'] as Record<string, unknown> | undefined) }
  const kinds = { xsuaa: 'auth', destination: 'destinations', connectivity: 'connectivity' } as const
  const hybrid: Record<string, unknown> = { ...(requires['[hybrid]'] as Record<string, unknown> | undefined) }
  for (const [label, name] of Object.entries(kinds)) {
    const [binding] = bindings[label as keyof typeof kinds]
    hybrid[name] = { kind: label === 'xsuaa' ? 'xsuaa' : name, credentials: binding.credentials }
  }
  return { ...file, requires: { ...requires, '[hybrid]': hybrid } }
}

/** A Secret in the layout of the service operator, as clients read it below SERVICE_BINDING_ROOT. */
function formatSecret(binding: ServiceBinding): string {
  const credentials = Object.entries(binding.credentials)
  const text = (value: string | readonly string[]): string => (typeof value === 'string' ? value : JSON.stringify(value))
  const metadata = {
    metaDataProperties: [
      ...['type', 'label', 'plan', 'instance_guid', 'instance_name'].map((name) => ({ name, format: 'text' })),
      { name: 'tags', format: 'json' },
    ],
    credentialProperties: credentials.map(([name, value]) => ({ name, format: typeof value === 'string' ? 'text' : 'json' })),
  }
  const data: Record<string, string> = {
    '.metadata': JSON.stringify(metadata),
    type: binding.label,
    label: binding.label,
    plan: binding.plan,
    instance_guid: binding.instance_guid,
    instance_name: binding.instance_name,
    tags: JSON.stringify(binding.tags),
    ...Object.fromEntries(credentials.map(([name, value]) => [name, text(value)])),
  }
  const lines = Object.entries(data).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`)
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${binding.name}\ntype: servicebinding.io/${binding.label}\nstringData:\n${lines.join('')}`
}
