import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
import type { Command } from 'commander'
import type { MaintenanceContext } from '../stack/cloud-backup.ts'
import { findConfigurationFile } from './config.ts'
import { createContext } from './context.ts'

/** An option of every command for databases. */
export interface ConfigOption {
  readonly config?: string
}

/** Without a configuration file an installation keeps everything in its folder. */
export async function maintenanceContext(options: ConfigOption, command: Command): Promise<MaintenanceContext> {
  const { folder, workingFolder } = createContext(command)
  const { parseConfiguration, requireConfiguration } = await import('../configuration/read-configuration.ts')
  const file = findConfigurationFile(workingFolder, options.config)
  if (file !== undefined) return { configuration: requireConfiguration(file), folder: folder(), clock: systemClock }
  const usual = parseConfiguration('version: 1\n', join(workingFolder, 'sallyport.yaml'))
  if (!('configuration' in usual)) throw new Error('the empty configuration is not valid')
  return { configuration: usual.configuration, folder: folder(), clock: systemClock }
}
