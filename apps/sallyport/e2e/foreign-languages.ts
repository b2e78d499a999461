import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const clients = join(import.meta.dirname, 'clients')
const installTimeoutMs = 300_000

/** Release of the SAP Cloud SDK for Python. */
const pythonRelease = 'sap-cloud-sdk==0.61.0'

/** What a client in another language was installed to, or why it was not. */
export type Installed = { readonly folder: string } | { readonly missing: string }

/** Installs take more than a minute and a network, so that they are wanted in so many words. */
const notWanted = process.env['FOREIGN_CLIENTS'] === '1' ? undefined : 'set FOREIGN_CLIENTS=1 to have clients in Java and Python installed'

/** The SDK for Python in a virtual environment outside of the checkout; made once per release and machine. */
export function installPython(): Promise<Installed> {
  return install('python', pythonRelease, ['python3', '--version'], async (folder) => {
    await run('python3', ['-m', 'venv', folder], { timeout: installTimeoutMs })
    await run(join(folder, 'bin', 'pip'), ['install', '--quiet', pythonRelease], { timeout: installTimeoutMs })
  })
}

/** The SDK for Java with all that it needs as jars in `lib`. */
export function installJava(): Promise<Installed> {
  const pom = join(clients, 'java', 'pom.xml')
  return install('java', readFileSync(pom, 'utf8'), ['mvn', '--version'], async (folder) => {
    const target = [`-DoutputDirectory=${join(folder, 'lib')}`, '-DincludeScope=runtime']
    await run('mvn', ['--quiet', '--batch-mode', '-f', pom, 'dependency:copy-dependencies', ...target], { timeout: installTimeoutMs })
  })
}

async function install(
  name: string,
  release: string,
  [program, ...args]: readonly [string, ...string[]],
  fill: (folder: string) => Promise<void>,
): Promise<Installed> {
  if (notWanted !== undefined) return { missing: notWanted }
  if (spawnSync(program, args).status !== 0) return { missing: `${program} is not installed` }
  const digest = createHash('sha256').update(release).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), 'sallyport-clients', `${name}-${digest}`)
  const done = join(folder, 'installed')
  if (existsSync(done)) return { folder }
  mkdirSync(folder, { recursive: true })
  try {
    await fill(folder)
  } catch (error) {
    return { missing: `${name} clients could not be installed: ${String(error).slice(0, 500)}` }
  }
  writeFileSync(done, release)
  return { folder }
}
