/** A host with a port or several. */
export interface PortRange {
  readonly host: string
  readonly low: number
  readonly high: number
  /** Name of the port, where it has been written as one. */
  readonly portText?: string
}
