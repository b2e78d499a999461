import { writeFileSync } from 'node:fs'
import { freePort } from './free-port.ts'
import type { Installation } from './installation.ts'

interface Slot {
  readonly virtual: string
  readonly listen: string
  readonly elsewhere: string
}

/** A stack whose connectors lead to this machine, and the target file that says so. */
export interface ConformanceWorld {
  /** Path of a target file; `changes` replaces whole keys of it. */
  writeTarget(name: string, changes?: Readonly<Record<string, unknown>>): string
  /** The addresses of type TCP: what applications call them, and where they lead. */
  readonly tcp: readonly Slot[]
  /** Those of type RFC. */
  readonly rfc: readonly Slot[]
}

/** Writes the configuration of the stack; the caller starts it with `sallyport.yaml`. */
export async function prepareConformanceWorld(stack: Installation): Promise<ConformanceWorld> {
  const taken = new Set<number>()
  /** The system may give a port again that nobody listens at yet. */
  const nextAddress = async (): Promise<string> => {
    let port = await freePort()
    while (taken.has(port)) port = await freePort()
    taken.add(port)
    return `127.0.0.1:${port}`
  }
  const slots = async (kind: string, count: number): Promise<readonly Slot[]> => {
    const made: Slot[] = []
    for (let at = 1; at <= count; at++) {
      const [listen, elsewhere] = [await nextAddress(), await nextAddress()]
      made.push({ virtual: `${kind}${at}.conformance:${7000 + at}`, listen, elsewhere })
    }
    return made
  }
  const [tcp, http, rfc] = [await slots('tcp', 3), await slots('http', 3), await slots('rfc', 3)]
  const dotted = { virtual: '10.9.8.7:7009', listen: await nextAddress() }
  const mappings = (key: 'listen' | 'elsewhere'): readonly object[] => [
    ...tcp.map((slot) => ({ virtual: slot.virtual, internal: `tcp://${slot[key]}` })),
    ...http.map((slot) => ({
      virtual: slot.virtual,
      internal: `http://${slot[key]}`,
      resources: [{ path: '/', subPaths: true, websocketUpgradeAllowed: true }],
    })),
    ...rfc.map((slot) => ({
      virtual: slot.virtual,
      internal: `rfc://${slot[key]}`,
      systemNumber: '42',
      backendType: 'abapSys',
      functions: [
        { name: 'STFC_', prefix: true },
        { name: 'Z_', prefix: true },
      ],
    })),
  ]
  const configuration = {
    version: 1,
    subaccounts: [
      {
        id: 'demo',
        users: [{ name: 'jane@acme.test' }, { name: 'john@acme.test' }],
        destinations: [
          {
            Name: 'CONFORMANCE',
            Type: 'HTTP',
            ProxyType: 'OnPremise',
            URL: 'http://http1.conformance:7001',
            Authentication: 'NoAuthentication',
          },
        ],
      },
    ],
    connectors: [
      {
        locationId: '',
        trust: { automatic: true },
        // What an application gave up while the backend was silent is closed after that.
        backendResponseTimeoutSeconds: 2,
        mappings: [...mappings('listen'), { virtual: dotted.virtual, internal: `tcp://${dotted.listen}` }],
      },
      { locationId: 'Orlando', trust: { automatic: true }, mappings: mappings('elsewhere') },
    ],
  }
  // JSON is YAML.
  writeFileSync(stack.file('sallyport.yaml'), JSON.stringify(configuration))
  const target = {
    name: 'our own stack',
    bindings: { file: 'data/default-env.json' },
    authorities: [{ file: 'data/ca.crt' }],
    farSide: { tcp, http, rfc, dotted, elsewhereLocation: 'Orlando' },
    notExposed: 'hidden.conformance:7999',
    users: [{ file: 'jane.jwt' }, { file: 'john.jwt' }],
    destination: 'CONFORMANCE',
  }
  return {
    tcp,
    rfc,
    writeTarget(name, changes = {}) {
      writeFileSync(stack.file(name), JSON.stringify({ ...target, ...changes }))
      return stack.file(name)
    },
  }
}

/** Tokens of two users, where the target file looks for them. */
export async function issueUserTokens(stack: Installation): Promise<void> {
  for (const name of ['jane', 'john']) {
    const issued = await stack.run(['token', 'issue', '--user', `${name}@acme.test`, '--raw'])
    if (issued.code !== 0) throw new Error(issued.stderr)
    writeFileSync(stack.file(`${name}.jwt`), issued.stdout, { mode: 0o600 })
  }
}
