/** Scopes of which a user needs all. An empty list, like an absent one, lets nobody in. */
export interface ScopeAccess {
  readonly read: readonly string[]
  readonly write: readonly string[]
}

/** What an instance remembers of its parameters. Entities are kept with all others. */
export interface InstanceSettings {
  readonly html5RuntimeEnabled: boolean
  /** Which users of subscribers see and change what the application shares with them. */
  readonly subscriberAccess: { readonly destinations: ScopeAccess; readonly certificates: ScopeAccess }
  /** Names the parameters that the instance was made or changed with, so that whoever holds them as a file knows whether they are still to be applied. */
  readonly appliedDigest: string
}

const nobody: ScopeAccess = { read: [], write: [] }

/** Settings of an instance without parameters. */
export const defaultInstanceSettings: InstanceSettings = {
  html5RuntimeEnabled: false,
  subscriberAccess: { destinations: nobody, certificates: nobody },
  appliedDigest: '',
}

/** Keeps settings by instance. */
export interface InstanceSettingsRepository {
  /** The defaults for an instance that has none. */
  find(instanceId: string): Promise<InstanceSettings>
  /** Saves what `change` makes of the settings; nobody else changes them meanwhile. */
  change(instanceId: string, change: (settings: InstanceSettings) => InstanceSettings): Promise<void>
}
