/** An instance of the destination service that somebody has created and bound. */
export interface DestinationInstance {
  readonly instanceId: string
  /** The subaccount that the instance was created in: its provider. */
  readonly subaccountId: string
}

/** The instances there are. */
export interface DestinationInstances {
  /** The instance whose credentials this OAuth client is; `undefined` for clients of other services and unknown ones. */
  find(clientId: string): DestinationInstance | undefined | Promise<DestinationInstance | undefined>
}
