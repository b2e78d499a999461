import type { ConnectionChecker } from '../check-connection/connection-checker.ts'
import type { DestinationInstance } from '../access/destination-instances.ts'
import type { ServiceContext, ServiceRequest } from '../http/service-request.ts'
import type { InstanceSettingsRepository } from '../instance-parameters/instance-settings.ts'
import type { AdministrationApplication, Administrator } from './administrator.ts'
import type { SubaccountEncryption } from './encryption-routes.ts'

/** An instance with the name that people know it by. */
export interface KnownInstance {
  readonly instance: DestinationInstance
  readonly name: string
}

/** Which instances there are for a subaccount. */
export interface InstanceDirectory {
  /** Its own, and those of applications that it has subscribed to. */
  list(subaccountId: string): readonly KnownInstance[] | Promise<readonly KnownInstance[]>
}

/** What the administration for people is made of. */
export interface Administration {
  readonly applications: readonly AdministrationApplication[]
  readonly directory: InstanceDirectory
  readonly settings: InstanceSettingsRepository
  readonly connections: ConnectionChecker
  /** Keys of customers; without it nobody may have one. */
  readonly encryption?: SubaccountEncryption
}

/** What its handlers work with. */
export interface AdministrationContext extends ServiceContext {
  readonly administration: Administration
}

/** A request as its handlers see it: who administers has been decided, whether he may has not. */
export interface AdministrationRequest extends Omit<ServiceRequest, 'caller'> {
  readonly administrator: Administrator
}
