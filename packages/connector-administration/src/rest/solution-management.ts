import { isAbsolute } from 'node:path'
import { type Clock, ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import { writeZip } from '../backup/zip-file.ts'
import type { ConfigurationEditor } from '../document/configuration-editor.ts'
import { renderRegistration } from './landscape-registration.ts'
import { conflict, invalidRequest, RestError } from './rest-error.ts'
import { type Route, route } from './route.ts'
import { tolerantBoolean } from './tolerant-values.ts'

const path = '/api/v1/configuration/connector/solutionManagement'

/** The host agent of the machine, which a solution manager talks to. */
export interface HostAgent {
  /** Whether its program is a file. */
  isFile(program: string): Promise<boolean>
  /** Asks it whether it works. @throws ConnectivityError when it cannot be started, fails, or does not end in time. */
  ping(program: string): Promise<void>
}

const body = z
  .object({ hostAgentPath: z.string().max(4096).optional(), dsrEnabled: tolerantBoolean.optional() })
  .optional()
  .transform((given) => given ?? {})

/** Reports to a solution manager (cloud-connector.md §7.9, §8.7). A shadow stores its settings; the master makes them active. */
export function solutionManagement(options: {
  readonly clock: Clock
  readonly connectorId: string
  readonly editor: ConfigurationEditor
  readonly hostAgent: HostAgent
  readonly version: string
}): readonly Route[] {
  const { clock, connectorId, editor, hostAgent, version } = options
  return [
    route({ method: 'GET', path, permission: 'all', handle: () => ({ status: 200, body: editor.document.solutionManagement }) }),
    route({
      method: 'POST',
      path,
      permission: 'support',
      body,
      async handle({ body: { dsrEnabled, hostAgentPath }, caller }) {
        const before = editor.document.solutionManagement
        const program = hostAgentPath ?? before.hostAgentPath
        if (!isAbsolute(program)) throw invalidRequest(`hostAgentPath: has to be an absolute path; it was "${program}"`)
        const isMaster = editor.document.connector.haRole === 'master'
        if (isMaster) await requireHostAgent(hostAgent, program)
        await editor.change(caller.user, (document) => ({
          ...document,
          solutionManagement: {
            isEnabled: isMaster || document.solutionManagement.isEnabled,
            hostAgentPath: program,
            dsrEnabled: dsrEnabled ?? document.solutionManagement.dsrEnabled,
          },
        }))
        return { status: 204 }
      },
    }),
    route({
      method: 'DELETE',
      path,
      permission: 'support',
      async handle({ caller }) {
        await editor.change(caller.user, (document) =>
          document.solutionManagement.isEnabled
            ? { ...document, solutionManagement: { ...document.solutionManagement, isEnabled: false } }
            : document,
        )
        return { status: 204 }
      },
    }),
    route({
      method: 'GET',
      path: `${path}/registrationFile`,
      permission: 'support',
      handle({ url }) {
        const { connector, subaccounts } = editor.document
        const registration = renderRegistration({ address: url('/'), connectorId, connector, subaccounts, version })
        return {
          status: 200,
          body: writeZip({ 'lmdbModel.xml': registration }, clock.now()),
          type: 'application/zip',
          headers: { 'content-disposition': 'attachment;filename="lmdbModel.zip"' },
        }
      },
    }),
  ]
}

async function requireHostAgent(hostAgent: HostAgent, program: string): Promise<void> {
  if (!(await hostAgent.isFile(program)))
    throw conflict(`the host agent ${program} is not a file or does not exist; install it, or give hostAgentPath`, 'INVALID_CONFIGURATION')
  try {
    await hostAgent.ping(program)
  } catch (error) {
    if (!ConnectivityError.is(error)) throw error
    throw new RestError(500, 'RUNTIME_FAILURE', error.message)
  }
}
