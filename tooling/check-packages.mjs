// What users install, before it is published: packs every package as `pnpm publish` would, then runs publint and "are the types wrong" on the
// tarballs and holds the budgets of size. Needs the builds. `--keep <folder>` leaves the tarballs there.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import './require-node.mjs'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const kept = process.argv.indexOf('--keep')
const folder = kept < 0 ? mkdtempSync(join(tmpdir(), 'sallyport-packages-')) : process.argv[kept + 1]
mkdirSync(folder, { recursive: true })

/** One adapter with what an application needs around it: tarballs, without the peers that the user chooses. */
const budget = {
  names: ['core', 'dial', 'destination-client'],
  adapters: ['http', 'imap', 'ldap', 'pop3', 'rfc', 'smtp', 'tcp'],
  maxBytes: 250 * 1024,
  maxPackages: 5,
}
/** Several at a time, so that the slow start of each program costs less; more would only wait for the processors. */
const parallel = 3

const packages = ['packages', 'apps']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(parent, name)))
  .map((path) => ({ path, manifest: JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => manifest.private !== true)

const problems = []
const queue = [...packages]
const packed = new Map()
await Promise.all(
  Array.from({ length: parallel }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      packed.set(next.manifest.name, await pack(next))
      problems.push(...(await check(packed.get(next.manifest.name))))
    }
  }),
)
problems.push(...budget.adapters.flatMap((adapter) => weigh(adapter)))
if (kept < 0) rmSync(folder, { recursive: true })
for (const problem of problems) console.log(problem)
console.log(`${packages.length} packages packed, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1

/** The pnpm that runs this script, or the one on the path. */
function pnpm(words) {
  const program = process.env.npm_execpath ?? 'pnpm'
  return /\.[cm]?js$/.test(program) ? [process.execPath, [program, ...words]] : [program, words]
}

/** Packs one; its manifest is read from the tarball, where `workspace:` has become a version. */
async function pack({ path }) {
  const cwd = join(root, path)
  const { stdout } = await run(...pnpm(['pack', '--json', '--pack-destination', folder]), { cwd })
  const { filename, files } = JSON.parse(stdout.slice(stdout.indexOf('{')))
  const { stdout: manifest } = await run('tar', ['-xzOf', filename, 'package/package.json'])
  return { path, tarball: filename, files: files.map((file) => file.path), manifest: JSON.parse(manifest), bytes: statSync(filename).size }
}

async function check({ path, tarball, files, manifest }) {
  const bytes = readFileSync(tarball)
  const { messages } = await publint({
    strict: true,
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) },
  })
  const found = messages.map((message) => `${path}: publint: ${formatMessage(message, manifest, { color: false })}`)
  for (const needed of ['README.md', 'LICENSE']) if (!files.includes(needed)) found.push(`${path}: ${needed} is not packed`)
  for (const file of files) if (/\.test\.|\.map$|^src\//.test(file)) found.push(`${path}: ${file} is packed`)
  if (manifest.exports === undefined) return found
  try {
    await run(process.execPath, [
      join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js'),
      tarball,
      '--profile',
      'esm-only',
      '--no-color',
    ])
  } catch (error) {
    found.push(`${path}: types: ${error.stdout ?? error.message}`)
  }
  return found
}

/** The codecs of RFC are a package of their own, because the connector's relay uses them without the client. */
function maxPackages(adapter) {
  return adapter === 'rfc' ? budget.maxPackages + 1 : budget.maxPackages
}

/** The adapter, the three packages and all that they depend on. */
function weigh(adapter) {
  const wanted = [adapter, ...budget.names].map((name) => `@sallyport/${name}`)
  const installed = new Set()
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    if (installed.has(name)) continue
    installed.add(name)
    wanted.push(...Object.keys(packed.get(name)?.manifest.dependencies ?? {}))
  }
  const bytes = [...installed].reduce((sum, name) => sum + (packed.get(name)?.bytes ?? 0), 0)
  const list = [...installed].toSorted((a, b) => a.localeCompare(b)).join(', ')
  console.log(`@sallyport/${adapter}, installed: ${installed.size} packages, ${Math.round(bytes / 1024)} KiB packed (${list})`)
  return [
    ...(bytes > budget.maxBytes ? [`@sallyport/${adapter} with ${list} weighs ${bytes} bytes; the budget is ${budget.maxBytes}`] : []),
    ...(installed.size > maxPackages(adapter)
      ? [`@sallyport/${adapter} installs ${list}; the budget is ${maxPackages(adapter)} packages`]
      : []),
    ...[...installed]
      .filter((name) => !packed.has(name))
      .map((name) => `@sallyport/${adapter} installs ${name}, which the budget cannot weigh`),
  ]
}
