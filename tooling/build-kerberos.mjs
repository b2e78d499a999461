/**
 * Compiles the optional peer `kerberos` where the workspace has installed it, for tests that need it. An install does not: it would have to compile C++ on
 * every machine. Needs a compiler and the headers of MIT Kerberos (Debian: g++ make libkrb5-dev), or a network that reaches its ready-made binaries.
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

const requireFrom = createRequire(join(import.meta.dirname, '../packages/cloud-connector/package.json'))
const isBuilt = () => spawnSync(process.execPath, ['-e', `require(${JSON.stringify(requireFrom.resolve('kerberos'))})`]).status === 0
if (isBuilt()) process.exit(0)
const folder = dirname(requireFrom.resolve('kerberos/package.json'))
// Headers of a Node that is here; without them they are looked for on the network. The interface is the same for all versions.
const nodeFolder = dirname(dirname(realpathSync(process.execPath)))
const folders = [nodeFolder, join(nodeFolder, `node_modules/node-${process.platform}-${process.arch}`), '/usr']
const nodedir = folders.find((one) => existsSync(join(one, 'include/node/node_api.h')))
const headers = nodedir === undefined ? {} : { npm_config_nodedir: nodedir }
spawnSync('npm', ['run', 'install'], { cwd: folder, stdio: 'inherit', env: { ...process.env, ...headers } })
if (!isBuilt()) {
  console.error('the package kerberos could not be compiled; tests that need it are skipped, or fail where they must not be')
  process.exit(1)
}
