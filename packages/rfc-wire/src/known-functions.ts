/** Functions that carry the calls of others inside their tables: a filter by name sees only these. See protocols.md 11.12. */
export const shippingFunctions: ReadonlySet<string> = new Set([
  'ARFC_DEST_SHIP',
  'ARFC_DEST_CONFIRM',
  'API_CLEAR_TID',
  'BGRFC_DEST_SHIP',
  'BGRFC_DEST_CONFIRM',
  'BGRFC_CHECK_UNIT_STATE_SERVER',
])

/** Functions that clients call by themselves, to log on and to learn interfaces: protocols.md 12.4. */
export const infrastructureFunctions: ReadonlySet<string> = new Set([
  'RFCPING',
  'RFC_PING',
  'SYSTEM_RESET_RFC_SERVER',
  'RFC_GET_FUNCTION_INTERFACE',
  'RFC_GET_STRUCTURE_DEFINITION',
  'DDIF_FIELDINFO_GET',
  'RFC_METADATA_GET',
  'RFC_METADATA_GET_TIMESTAMP',
  'RFC_SET_REG_SERVER_PROPERTY',
])

/** Functions that a logon may name without being allowed. */
export const logonFunctions: ReadonlySet<string> = new Set(['RFCPING', 'RFC_PING'])
