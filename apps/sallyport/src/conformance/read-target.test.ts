import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readTarget } from './read-target.ts'

const document = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'conformance.md')

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sallyport-target-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

describe('a target file', () => {
  it('that the documentation shows is read, with the files and variables that it names', () => {
    const example = /## The target file\n\n```yaml\n([^]*?)```/.exec(readFileSync(document, 'utf8'))?.[1] ?? ''
    write('ca.crt', 'an authority')
    write('jane.jwt', 'token-of-jane\n')
    write('john.jwt', 'token-of-john\n')
    const target = readTarget(write('target.yaml', example), { PROXY_PASSWORD: 'pass' })
    expect(target).toMatchObject({
      name: 'staging',
      location: '',
      bindingsFile: join(folder, 'default-env.json'),
      authorities: ['an authority'],
      elsewhereLocation: 'Orlando',
      notExposed: { host: 'hidden.conformance', port: 7999 },
      httpConnect: { proxy: { host: 'forward.example.org', port: 3128 }, credentials: { user: 'me' } },
      destination: 'CONFORMANCE',
      limitSeconds: 10,
    })
    expect(target.tcp[0]).toEqual({
      virtual: { host: 'tcp1.conformance', port: 7001 },
      listen: { host: '10.1.2.3', port: 47_001 },
      elsewhere: { host: '10.1.2.3', port: 48_001 },
    })
    expect(target.rfc.map(({ virtual }) => virtual.port)).toEqual([3301, 3302, 3303])
    expect(target.users.map((user) => user.reveal())).toEqual(['token-of-jane', 'token-of-john'])
    expect(JSON.stringify(target)).not.toMatch(/token-of|pass"/)
  })

  const slots = (elsewhere: boolean): object[] =>
    [1, 2, 3].map((at) => ({ virtual: `a${at}:1`, listen: `127.0.0.1:${at}`, ...(elsewhere ? { elsewhere: `127.0.0.1:1${at}` } : {}) }))
  it.each([
    [{ farSide: { tcp: slots(true) } }, 'farSide.tcp[0].elsewhere: needs farSide.elsewhereLocation'],
    [{ farSide: { rfc: slots(false).slice(1) } }, 'farSide.rfc: three addresses at least'],
    [{ farSide: { tcp: slots(false), rfc: slots(false) } }, 'farSide.rfc[0].listen: 127.0.0.1:1 stands twice'],
    [{ farSide: { tcp: slots(false), elsewhereLocation: 'Orlando' } }, 'farSide.tcp[0]: farSide.elsewhereLocation is given'],
    [{ farSide: { tcp: slots(false), elsewhereLocation: '123' } }, 'needs a letter'],
    [{ farSide: { tcp: slots(false), http: slots(false) } }, 'farSide.http[0].listen: 127.0.0.1:1 stands twice'],
    [{ farSide: { tcp: slots(false), dotted: { virtual: 'x:1', listen: '127.0.0.1:9' } } }, 'its host is no IPv4 address'],
    [{ httpConnect: { proxy: 'a:1', user: 'me' } }, 'user and password stand together or not at all'],
    [{ httpConnect: { proxy: 'a:1', user: 'me', password: { env: 'NO_SUCH' } } }, 'the environment variable NO_SUCH is not set'],
    [{ limitSeconds: 0 }, 'limitSeconds'],
  ])('%j is refused', (changes, message) => {
    const file = write('target.json', JSON.stringify({ bindings: { file: 'env.json' }, farSide: { tcp: slots(false) }, ...changes }))
    expect(() => readTarget(file, {})).toThrow(message)
  })
})
