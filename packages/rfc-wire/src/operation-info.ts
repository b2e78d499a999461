import { formatLayout, readLayout } from './record-layout.ts'
import type { Refused } from './refusal.ts'

/** What INITIALIZE says in its 32 bytes. */
export interface InitializeInfo {
  readonly destination: string
  /** The first eight characters of the host. */
  readonly logicalUnit: string
  /** `sapdpNN` */
  readonly transactionProgram: string
  readonly connectionType: number
  readonly clientInfo: number
  readonly communicationIndex: number
  /** 0xffff in requests; what the gateway assigned in its reply. */
  readonly connectionIndex: number
}

/** What SET_PARTNER_LU_NAME says in its 32 bytes. */
export interface PartnerInfo {
  /** The first eight characters of the host. */
  readonly logicalUnit: string
  /** Length of the whole name. */
  readonly logicalUnitBytes: number
  /** Sixteen bytes. */
  readonly hostAddress: Buffer
  readonly communicationIndex: number
  readonly connectionIndex: number
}

/** What all records of a client say after the set-up. */
export interface ClientInfo {
  /** Length of a slice; 0 in other records than SEND_DATA and ASEND_DATA. */
  readonly dataBytes: number
  readonly communicationIndex: number
  readonly connectionIndex: number
}

/** What records of a server with data say. */
export interface ServerInfo {
  /** Bytes that it can receive at once. */
  readonly receiveCapacity: number
  /** Bytes of data in this record. */
  readonly dataBytes: number
  /** 1; 0 when it refuses a logon. */
  readonly status: number
  readonly codePage: string
  readonly communicationIndex: number
  readonly connectionIndex: number
}

const initializeLayout = {
  name: 'INITIALIZE',
  size: 32,
  constants: [[26, '0000']],
  fields: {
    destination: [0, 'text', 8, 'blank'],
    logicalUnit: [8, 'text', 8, 'blank'],
    transactionProgram: [16, 'text', 8, 'blank'],
    connectionType: [24, 'u8'],
    clientInfo: [25, 'u8'],
    communicationIndex: [28, 'u16'],
    connectionIndex: [30, 'u16'],
  },
} as const

const partnerLayout = {
  name: 'SET_PARTNER_LU_NAME',
  size: 32,
  constants: [],
  fields: {
    logicalUnit: [0, 'text', 8, 'blank'],
    logicalUnitBytes: [8, 'u32'],
    hostAddress: [12, 'bytes', 16],
    communicationIndex: [28, 'u16'],
    connectionIndex: [30, 'u16'],
  },
} as const

const clientLayout = {
  name: 'operation information of a client',
  size: 32,
  constants: [[4, '00'.repeat(24)]],
  fields: { dataBytes: [0, 'u32'], communicationIndex: [28, 'u16'], connectionIndex: [30, 'u16'] },
} as const

const serverLayout = {
  name: 'operation information of a server',
  size: 32,
  constants: [],
  fields: {
    receiveCapacity: [0, 'u32'],
    two: [4, 'u32'],
    dataBytes: [8, 'u32'],
    status: [12, 'u32'],
    codePage: [21, 'text', 4, 'blank'],
    communicationIndex: [28, 'u16'],
    connectionIndex: [30, 'u16'],
  },
} as const

/** Reads the operation information of an INITIALIZE record. */
export function parseInitializeInfo(info: Buffer): InitializeInfo | Refused {
  return readLayout(initializeLayout, info)
}

/** Renders it; throws TypeError for fields that do not fit. */
export function formatInitializeInfo(info: InitializeInfo): Buffer {
  return formatLayout(initializeLayout, info)
}

/** Reads the operation information of a SET_PARTNER_LU_NAME record. */
export function parsePartnerInfo(info: Buffer): PartnerInfo | Refused {
  return readLayout(partnerLayout, info)
}

/** Renders it; throws TypeError for fields that do not fit. */
export function formatPartnerInfo(info: PartnerInfo): Buffer {
  return formatLayout(partnerLayout, info)
}

/** Reads the operation information of ALLOCATE, of data and of the end of a conversation, as clients send them. */
export function parseClientInfo(info: Buffer): ClientInfo | Refused {
  return readLayout(clientLayout, info)
}

/** Renders it; throws TypeError for fields that do not fit. */
export function formatClientInfo(info: ClientInfo): Buffer {
  return formatLayout(clientLayout, info)
}

/** Reads the operation information of a server's record with data. */
export function parseServerInfo(info: Buffer): ServerInfo | Refused {
  return readLayout(serverLayout, info)
}

/** Renders it; throws TypeError for fields that do not fit. */
export function formatServerInfo(info: ServerInfo): Buffer {
  return formatLayout(serverLayout, { ...info, two: 2 })
}
