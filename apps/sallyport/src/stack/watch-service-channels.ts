import { createConfigurationFile } from '@sallyport/cloud-connector'
import type { Clock, Logger } from '@sallyport/core'
import type { Configuration } from '../configuration/configuration.ts'
import { formatProblems, parseConfiguration } from '../configuration/read-configuration.ts'

/**
 * Hands out the configuration whenever its file has changed and is valid as a whole; of the cloud side only service channels follow it, everything else is read at the
 * start. The returned function stops it.
 */
export function watchServiceChannels(options: {
  readonly file: string
  readonly clock: Clock
  readonly log: Logger
  readonly onChange: (next: Configuration) => void
}): () => void {
  const { file, log } = options
  const source = createConfigurationFile({ file, clock: options.clock })
  const read = async (): Promise<void> => {
    try {
      const result = parseConfiguration(await source.read(), file)
      if ('problems' in result) throw new Error(formatProblems(file, result.problems))
      options.onChange(result.configuration)
      log.info({}, 'service channels of the configuration taken over')
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'unknown'
      log.error({ code: 'CONFIGURATION_INVALID', problem }, 'the changed configuration is not usable; the service channels of before stay')
    }
  }
  try {
    return source.watch(() => void read())
  } catch (error) {
    // Out of watches, for instance: everything works, but changes need a restart.
    log.warn({ reason: error instanceof Error ? error.message : 'unknown' }, 'the configuration file cannot be watched')
    return () => {}
  }
}
