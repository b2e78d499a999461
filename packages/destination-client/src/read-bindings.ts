import { ConnectivityError } from '@sallyport/core'
import { readBindingDirectory } from './binding-directory.ts'
import type { BindingFiles } from './binding-files.ts'
import type { ServiceBinding } from './service-binding.ts'
import { parseVcapServices } from './vcap-services.ts'

/**
 * Reads all service bindings that the environment names, in the order in which clients look: the file in
 * `VCAP_SERVICES_FILE_PATH` or else `VCAP_SERVICES`, then the directories below `SERVICE_BINDING_ROOT`.
 *
 * `environment` is handed in (an application passes `process.env`); nothing else of it is read.
 *
 * @throws ConnectivityError `BINDING_INVALID` naming the variable or file that cannot be used; the text is never quoted.
 */
export async function readBindings({
  environment,
  files,
}: {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly files: BindingFiles
}): Promise<readonly ServiceBinding[]> {
  const bindings: ServiceBinding[] = []
  const file = environment['VCAP_SERVICES_FILE_PATH']
  const services = environment['VCAP_SERVICES']
  const root = environment['SERVICE_BINDING_ROOT']
  if (file !== undefined && file !== '') {
    const text = await orInvalid(files.readFile(file), `VCAP_SERVICES_FILE_PATH: ${file} cannot be read`)
    bindings.push(...parseVcapServices(text, file))
  } else if (services !== undefined && services !== '') {
    bindings.push(...parseVcapServices(services, 'VCAP_SERVICES'))
  }
  if (root !== undefined && root !== '') {
    bindings.push(...(await orInvalid(readBindingDirectory(root, files), `SERVICE_BINDING_ROOT: ${root} cannot be read`)))
  }
  return bindings
}

async function orInvalid<T>(work: Promise<T>, what: string): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw ConnectivityError.is(error) ? error : new ConnectivityError('BINDING_INVALID', what, { cause: error })
  }
}
