import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '@sallyport/real-backends'

/** What a plan wants to do with one resource. */
export interface PlannedChange {
  readonly address: string
  readonly actions: readonly string[]
  /** Names of the members that it would change; not those that only the answer can tell. */
  readonly differs: readonly string[]
}

/** One configuration with a state of its own. Variables are texts, numbers, truth values or lists of them. */
export interface Terraform extends AsyncDisposable {
  apply(variables: Readonly<Record<string, unknown>>, options?: { readonly replace?: readonly string[] }): Promise<void>
  /** Goes on with another file for the same state. */
  rewrite(configuration: string): void
  /** What it would change; nothing when all is as described. */
  plan(variables: Readonly<Record<string, unknown>>): Promise<readonly PlannedChange[]>
  /** Values of every resource and data source, by address. */
  values(): Promise<ReadonlyMap<string, Readonly<Record<string, any>>>>
  /** Forgets the resources and takes them over again by their ids. */
  importAgain(ids: Readonly<Record<string, string>>, variables: Readonly<Record<string, unknown>>): Promise<readonly PlannedChange[]>
  destroy(variables: Readonly<Record<string, unknown>>): Promise<void>
}

const providerBinary = process.env['TERRAFORM_PROVIDER_SCC'] ?? ''
const runTimeoutMs = 60_000

/**
 * Whether there is no Terraform, or nothing at `TERRAFORM_PROVIDER_SCC`; says so on standard error. No distribution has the provider, so this does not fail
 * where real programs are required.
 */
export function skipWithoutProvider(): boolean {
  if (findProgram('terraform') !== undefined && existsSync(providerBinary)) return false
  process.stderr.write(
    '\n*** SKIPPED against the real world: no terraform, or TERRAFORM_PROVIDER_SCC names no program of the provider SAP/scc (docs/terraform.md) ***\n',
  )
  return true
}

/** Opens a configuration file in a folder of its own. `environment` tells the provider where the connector is. */
export function openTerraform(configuration: string, environment: Readonly<Record<string, string>>): Terraform {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-terraform-'))
  const work = join(folder, 'work')
  const plugins = join(folder, 'plugins')
  for (const each of [work, plugins]) mkdirSync(each)
  symlinkSync(providerBinary, join(plugins, 'terraform-provider-scc'))
  const rewrite = (file: string): void => copyFileSync(file, join(work, 'main.tf'))
  rewrite(configuration)
  const cli = join(folder, 'cli.tfrc')
  // No registry is asked.
  writeFileSync(cli, `provider_installation {\n  dev_overrides { "sap/scc" = ${JSON.stringify(plugins)} }\n}\ndisable_checkpoint = true\n`)

  const terraform = async (...words: readonly string[]): Promise<string> => {
    const env = { ...process.env, ...environment, TF_CLI_CONFIG_FILE: cli, TF_IN_AUTOMATION: '1', NO_COLOR: '1' }
    try {
      return (await promisify(execFile)('terraform', words, { cwd: work, env, timeout: runTimeoutMs, maxBuffer: 64 << 20 })).stdout
    } catch (error) {
      const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string }
      const said = [stderr, stdout, String(error)].find((text) => text !== undefined && text !== '')
      throw new Error(`terraform ${words[0]}: ${said}`, { cause: error })
    }
  }
  // Not in the arguments, where everybody on the machine could read secrets.
  const withVariables = (variables: Readonly<Record<string, unknown>>): void =>
    writeFileSync(join(work, 'terraform.tfvars.json'), JSON.stringify(variables), { mode: 0o600 })
  const plan = async (variables: Readonly<Record<string, unknown>>): Promise<readonly PlannedChange[]> => {
    withVariables(variables)
    await terraform('plan', '-no-color', '-input=false', '-out=wanted.plan')
    const { resource_changes: changes = [] } = JSON.parse(await terraform('show', '-json', 'wanted.plan'))
    return changes.map(describeChange).filter(({ actions: [first] }: PlannedChange) => first !== 'no-op' && first !== 'read')
  }
  return {
    plan,
    async apply(variables, { replace = [] } = {}) {
      withVariables(variables)
      await terraform('apply', '-no-color', '-input=false', '-auto-approve', ...replace.map((address) => `-replace=${address}`))
    },
    rewrite,
    async values() {
      const { values } = JSON.parse(await terraform('show', '-json'))
      const resources: readonly { readonly address: string; readonly values: Record<string, unknown> }[] =
        values?.root_module.resources ?? []
      return new Map(resources.map((each) => [each.address, each.values]))
    },
    async importAgain(ids, variables) {
      await terraform('state', 'rm', ...Object.keys(ids))
      const blocks = Object.entries(ids).map(([to, id]) => `import {\n  to = ${to}\n  id = ${JSON.stringify(id)}\n}\n`)
      writeFileSync(join(work, 'import.tf'), blocks.join(''))
      const changes = await plan(variables)
      await terraform('apply', '-no-color', '-input=false', 'wanted.plan')
      rmSync(join(work, 'import.tf'))
      return changes
    },
    async destroy(variables) {
      withVariables(variables)
      await terraform('destroy', '-no-color', '-input=false', '-auto-approve')
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function describeChange({ address, change }: { readonly address: string; readonly change: any }): PlannedChange {
  const { actions, after, after_unknown: unknown, before } = change
  const names = Object.keys({ ...before, ...after })
  const isOther = (name: string): boolean =>
    unknown?.[name] === undefined && JSON.stringify(before?.[name] ?? null) !== JSON.stringify(after?.[name] ?? null)
  return { address, actions, differs: names.filter(isOther).toSorted() }
}
