import type { MaterialStore } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'
import { maxChannelGraceMinutes } from '../limits.ts'
import { parseMaterial } from '../document/parse-material.ts'

/** The other instance of a pair, once both have met. */
export interface Peer {
  readonly host: string
  readonly port: number
  /** PEM of the certificate that it showed then; another one is not talked to. */
  readonly certificate: string
  /** Known to both, and sent with every call. */
  readonly secret: string
  /** How often the shadow of the pair looks after the master. */
  readonly checkIntervalInSeconds: number
  /** What the shadow was told when it registered here; this instance waits as long when it is the shadow itself. Not there once it has settings of its own. */
  readonly takeoverDelayInSeconds?: number | undefined
}

/** Settings of a pair on this instance; they are not synchronised (cloud-connector.md §6.1). */
export interface HaSettings {
  readonly master: {
    readonly haEnabled: boolean
    readonly allowedShadowHost: string
    /** How long clients of service channels may finish when this instance gives its role away. */
    readonly channelGraceInMinutes: number
  }
  readonly shadow: {
    readonly masterHost: string
    readonly masterPort: number
    readonly ownHost: string
    readonly checkIntervalInSeconds: number
    readonly takeoverDelayInSeconds: number
    readonly connectTimeoutInMillis: number
    readonly requestTimeoutInMillis: number
  }
  readonly peer?: Peer | undefined
  /** Counts take-overs: of two masters the one with the higher term stays. */
  readonly term: number
  /** Revision of the master's configuration that this instance has as a shadow. */
  readonly appliedRevision: number
  /** What went with it, see `PeerStatus.digest`. */
  readonly appliedDigest: string
  /** Whether this instance, as a shadow, looks after the master; not after it has been disconnected. */
  readonly looksAfter: boolean
}

const host = z.string().max(255)
const port = z.int().min(0).max(65_535)

const schema: z.ZodType<HaSettings> = z.strictObject({
  master: z
    .strictObject({
      haEnabled: z.boolean().default(false),
      allowedShadowHost: host.default(''),
      channelGraceInMinutes: z.int().min(0).max(maxChannelGraceMinutes).default(0),
    })
    .prefault({}),
  shadow: z
    .strictObject({
      masterHost: host.default(''),
      masterPort: port.default(0),
      ownHost: host.default(''),
      checkIntervalInSeconds: z.int().min(1).max(3_600).default(60),
      takeoverDelayInSeconds: z.int().min(0).max(3_600).default(30),
      connectTimeoutInMillis: z.int().min(1).max(600_000).default(1_000),
      requestTimeoutInMillis: z.int().min(1).max(600_000).default(2_000),
    })
    .prefault({}),
  peer: z
    .strictObject({
      host: host.min(1),
      port: port.min(1),
      certificate: z.string().min(1),
      secret: z.string().min(1),
      checkIntervalInSeconds: z.int().min(1).max(3_600),
      takeoverDelayInSeconds: z.int().min(0).max(3_600).optional(),
    })
    .optional(),
  term: z.int().min(0).default(0),
  appliedRevision: z.int().min(-1).default(-1),
  appliedDigest: z.string().max(100).default(''),
  looksAfter: z.boolean().default(true),
})

/** What a new installation begins with. */
export const defaultHaSettings: HaSettings = schema.parse({})

/** Name of the settings among the sealed material; they stay out of backups' and pairs' common configuration. */
export const haMaterialName = 'high availability'

/** Keeps the settings of a pair. */
export interface HaSettingsStore {
  readonly current: HaSettings
  /** @throws ConnectivityError `STORE_FAILED`, and nothing has changed. */
  save(settings: HaSettings): Promise<void>
}

/** Opens the settings. @throws ConnectivityError `STORE_FAILED` for what are none. */
export async function openHaSettings(material: MaterialStore): Promise<HaSettingsStore> {
  const text = await material.load(haMaterialName)
  const read = schema.safeParse(text === undefined ? {} : parseMaterial(text))
  if (!read.success) throw new ConnectivityError('STORE_FAILED', 'the stored settings of high availability cannot be used; reset them')
  let current = read.data
  return {
    get current() {
      return current
    },
    async save(settings) {
      await material.save(haMaterialName, JSON.stringify(settings))
      current = settings
    },
  }
}
