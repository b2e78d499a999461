/** How a tunnel is called in logs, audit entries and answers: `account:///<subaccount>` and, for a location, one more segment. */
export function formatTunnelId(subaccount: string, locationId: string): string {
  return locationId === '' ? `account:///${subaccount}` : `account:///${subaccount}/${locationId}`
}
