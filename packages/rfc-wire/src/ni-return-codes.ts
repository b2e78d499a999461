/** Return codes of NI and SAProuter: protocols.md 11.2, after SAP Note 63342. */
const niReturnCodes: ReadonlyMap<number, string> = new Map([
  [-1, 'NIEINTERN'],
  [-2, 'NIEHOST_UNKNOWN'],
  [-3, 'NIESERV_UNKNOWN'],
  [-4, 'NIESERV_USED'],
  [-5, 'NIETIMEOUT'],
  [-6, 'NIECONN_BROKEN'],
  [-7, 'NIETOO_SMALL'],
  [-8, 'NIEINVAL'],
  [-9, 'NIEWAKEUP'],
  [-10, 'NIECONN_REFUSED'],
  [-11, 'NIEPING'],
  [-12, 'NIECONN_PENDING'],
  [-13, 'NIEVERSION'],
  [-14, 'NIEMYHOSTNAME'],
  [-15, 'NIENOFREEPORT'],
  [-16, 'NIEMYHOST_VERIFY'],
  [-17, 'NIESNC_FAILURE'],
  [-18, 'NIEOPCODE'],
  [-19, 'NIEQUE_FULL'],
  [-20, 'NIETOO_BIG'],
  [-90, 'NIEROUT_HOST_UNKNOWN'],
  [-91, 'NIEROUT_SERV_UNKNOWN'],
  [-92, 'NIEROUT_CONN_REFUSED'],
  [-93, 'NIEROUT_INTERN'],
  [-94, 'NIEROUT_PERM_DENIED'],
  [-95, 'NIEROUT_CONN_BROKEN'],
  [-96, 'NIEROUT_VERSION'],
  [-97, 'NIECANCELED'],
  [-98, 'NIESHUTDOWN'],
  [-99, 'NIEINFO_DENIED'],
  [-100, 'NIEOVERFLOW'],
  [-101, 'NIEMODE_DENIED'],
  [-102, 'NIENOCLIENT'],
  [-103, 'NIEEXTERN'],
  [-104, 'NIEROUT_SNC_FAILURE'],
])

/** Names a return code as the documentation of SAP does; a number without a name stays a number. */
export function niReturnCodeName(code: number): string {
  return niReturnCodes.get(code) ?? String(code)
}
