/** Which host stands for the cloud side of a tunnel in names of subaccounts. */
export function regionHostOf(tunnelEndpoint: string): string {
  return URL.parse(tunnelEndpoint)?.hostname ?? tunnelEndpoint
}
