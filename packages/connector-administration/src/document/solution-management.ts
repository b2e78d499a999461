import { z } from 'zod'

/** How a solution manager learns about the connector (cloud-connector.md §7.9). */
export interface SolutionManagementSettings {
  readonly isEnabled: boolean
  /** Of the host agent's program on the machine of the connector. */
  readonly hostAgentPath: string
  /** Whether every call leaves a statistical record in a file, while it is enabled. */
  readonly dsrEnabled: boolean
}

/** Where the installation of a host agent puts it on Linux. */
const usualHostAgentPath = '/usr/sap/hostctrl/exe/saphostctrl'

/** Checks {@link SolutionManagementSettings} and fills in what is missing. */
export const solutionManagementSchema: z.ZodType<SolutionManagementSettings> = z.strictObject({
  isEnabled: z.boolean().default(false),
  hostAgentPath: z.string().min(1).max(4096).default(usualHostAgentPath),
  dsrEnabled: z.boolean().default(false),
})
