import { lookup } from 'node:dns/promises'
import { existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { readControlRecords } from '../control/control-record.ts'
import { exitCodes } from '../output/exit-code.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import { findPortOwner, isPortTaken } from '../stack/port-owner.ts'
import { basePorts } from '../stack/ports.ts'
import { createContext } from './context.ts'

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly finding: string
  readonly remedy?: string
}

/** `doctor`: looks for what usually stands in the way, and says what to do about it. Exit 1 when something must be mended. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check this machine: Node, ports, local authority, proxy variables, names, clock')
    .action(async (_options: unknown, command: Command) => {
      const { printer, folder, environment } = createContext(command)
      const findings = [
        checkNode(process.versions.node),
        ...(await checkPorts(folder())),
        checkAuthority(folder(), environment),
        checkPermissions(folder()),
        checkProxyVariables(environment),
        await checkNames(),
        checkSessions(),
      ]
      const ok = findings.every((finding) => finding.ok)
      printer.result({ ok, findings }, () =>
        findings
          .map(
            ({ ok: good, check, finding, remedy }) =>
              `${good ? printer.good('✔') : printer.bad('✖')} ${check.padEnd(12)} ${finding}${remedy === undefined ? '' : `\n               ${printer.dim(`→ ${remedy}`)}`}`,
          )
          .join('\n'),
      )
      if (!ok) process.exitCode = exitCodes.failed
    })
}

function checkNode(version: string): Finding {
  const ok = Number(version.split('.')[0]) >= 24
  return { check: 'node', ok, finding: `version ${version}`, ...(ok ? {} : { remedy: 'Sallyport needs Node 24 or newer' }) }
}

async function checkPorts(folder: DataFolder): Promise<readonly Finding[]> {
  if ((await readControlRecords(folder)).length > 0)
    return [{ check: 'ports', ok: true, finding: 'in use by the stack that runs with this data folder' }]
  const taken: string[] = []
  for (const port of Object.values(basePorts))
    if (await isPortTaken('127.0.0.1', port)) taken.push(`${port} (${findPortOwner(port) ?? 'another process'})`)
  if (taken.length === 0) return [{ check: 'ports', ok: true, finding: `${Object.values(basePorts).join(', ')} are free` }]
  return [
    { check: 'ports', ok: false, finding: `taken: ${taken.join(', ')}`, remedy: 'stop that process, or start with --port-offset 100' },
  ]
}

function checkAuthority(folder: DataFolder, environment: NodeJS.ProcessEnv): Finding {
  const file = join(folder.path, 'ca.crt')
  if (!existsSync(file)) return { check: 'authority', ok: true, finding: 'not made yet; the first start makes it' }
  const set = environment['NODE_EXTRA_CA_CERTS']
  if (set === undefined)
    return { check: 'authority', ok: true, finding: `${file}; "sallyport exec" sets NODE_EXTRA_CA_CERTS for what it starts` }
  return set === file
    ? { check: 'authority', ok: true, finding: 'NODE_EXTRA_CA_CERTS names it' }
    : {
        check: 'authority',
        ok: true,
        finding: `NODE_EXTRA_CA_CERTS names another file (${set})`,
        remedy: 'Node reads one file only; "sallyport exec" replaces it for the command it starts',
      }
}

function checkPermissions(folder: DataFolder): Finding {
  const open = ['seal.key', 'ca.key', 'instances.json', 'default-env.json'].filter(
    (name) => existsSync(join(folder.path, name)) && (statSync(join(folder.path, name)).mode & 0o077) !== 0,
  )
  return open.length === 0
    ? { check: 'secrets', ok: true, finding: `readable by their owner only, in ${folder.path}` }
    : {
        check: 'secrets',
        ok: false,
        finding: `others can read ${open.join(', ')}`,
        remedy: `chmod 600 ${open.map((name) => join(folder.path, name)).join(' ')}`,
      }
}

function checkProxyVariables(environment: NodeJS.ProcessEnv): Finding {
  const set = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].filter((name) => environment[name] !== undefined)
  const exceptions = environment['NO_PROXY'] ?? environment['no_proxy'] ?? ''
  if (set.length === 0 || /(?:^|,)\s*(?:localhost|\*)\s*(?:,|$)/.test(exceptions))
    return { check: 'proxy', ok: true, finding: set.length === 0 ? 'no proxy variables are set' : 'proxy variables except localhost' }
  return {
    check: 'proxy',
    ok: false,
    finding: `${set.join(', ')} would send calls to localhost through a proxy`,
    remedy: 'export NO_PROXY=localhost,127.0.0.1',
  }
}

async function checkNames(): Promise<Finding> {
  try {
    const { address } = await lookup('localhost', { family: 4 })
    return { check: 'names', ok: address === '127.0.0.1', finding: `localhost is ${address}` }
  } catch {
    return {
      check: 'names',
      ok: false,
      finding: 'localhost does not resolve to an IPv4 address',
      remedy: 'add "127.0.0.1 localhost" to /etc/hosts',
    }
  }
}

function checkSessions(): Finding {
  const found = [['cf', '.cf/config.json'] as const, ['btp', '.config/.btp/config.json'] as const]
    .filter(([, file]) => existsSync(join(homedir(), file)))
    .map(([name]) => name)
  return {
    check: 'sessions',
    ok: true,
    finding: found.length === 0 ? 'no cf or btp session (not needed)' : `sessions of ${found.join(' and ')}`,
  }
}
