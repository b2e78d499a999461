import { formatLayout, readLayout } from './record-layout.ts'
import { type Refused, refuse } from './refusal.ts'

/** What follows the header of INITIALIZE: protocols.md 11.6. */
export interface InitializeParameters {
  /** Names the kind of client. */
  readonly destination: string
  readonly flags: number
  /** Sixteen hexadecimal digits. */
  readonly rootContextId: string
  /** Sixteen hexadecimal digits. */
  readonly connectionId: string
  readonly connectionIdSuffix: number
  /** -2: what the server thinks right. */
  readonly timeout: number
  readonly keepAlive: number
  readonly exportTrace: number
  readonly startType: number
  readonly networkProtocol: number
  readonly ipv6: Buffer
  /** The host that the gateway shall connect to. */
  readonly logicalUnit: string
  readonly osUser: string
  readonly ipv4: Buffer
  /** `sapdpNN` */
  readonly transactionProgram: string
}

/** What follows the header of SET_PARTNER_LU_NAME. */
export interface PartnerParameters {
  readonly logicalUnit: string
  readonly hostAddress: Buffer
}

/** Length of the form that was studied. */
export const initializeParameterBytes = 373

const initializeLayout = {
  name: 'INITIALIZE parameters',
  size: initializeParameterBytes,
  constants: [
    [32, '01'],
    [34, '4350494300000000'],
    [233, '00'.repeat(16)],
    [305, '00000000'],
  ],
  fields: {
    destination: [0, 'text', 32, 'blank'],
    flags: [33, 'u8'],
    rootContextId: [42, 'text', 16, 'blank'],
    connectionId: [58, 'text', 16, 'blank'],
    connectionIdSuffix: [74, 'u32'],
    timeout: [78, 'i32'],
    keepAlive: [82, 'i32'],
    exportTrace: [86, 'u8'],
    startType: [87, 'u8'],
    networkProtocol: [88, 'u8'],
    ipv6: [89, 'bytes', 16],
    logicalUnit: [105, 'text', 128, 'nul'],
    osUser: [249, 'text', 12, 'blank'],
    ipv4: [301, 'bytes', 4],
    transactionProgram: [309, 'text', 64, 'nul'],
  },
} as const

const partnerLayout = {
  name: 'SET_PARTNER_LU_NAME parameters',
  size: 144,
  constants: [],
  fields: { logicalUnit: [0, 'text', 128, 'blank'], hostAddress: [128, 'bytes', 16] },
} as const

/** Reads parameters of exactly 373 bytes. The 40 bytes behind the user are not looked at: clients fill them with zeros or blanks. */
export function parseInitializeParameters(body: Buffer): InitializeParameters | Refused {
  if (body.length !== initializeLayout.size) return refuse(`${initializeLayout.name}: not ${initializeLayout.size} bytes`)
  return readLayout(initializeLayout, body)
}

/** Renders parameters; throws TypeError for fields that do not fit. */
export function formatInitializeParameters(parameters: InitializeParameters): Buffer {
  return formatLayout(initializeLayout, parameters)
}

/** Reads parameters of exactly 144 bytes. */
export function parsePartnerParameters(body: Buffer): PartnerParameters | Refused {
  if (body.length !== partnerLayout.size) return refuse(`${partnerLayout.name}: not ${partnerLayout.size} bytes`)
  return readLayout(partnerLayout, body)
}

/** Renders parameters; throws TypeError for fields that do not fit. */
export function formatPartnerParameters(parameters: PartnerParameters): Buffer {
  return formatLayout(partnerLayout, parameters)
}
