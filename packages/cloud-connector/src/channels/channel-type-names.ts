import type { ServiceChannelEntry } from '@sallyport/admin-api'

/** What the original calls the kinds of channels in its older interfaces and in its user interface. */
export const channelTypeNames: Readonly<Record<ServiceChannelEntry['type'], { readonly typeKey: string; readonly typeName: string }>> = {
  ABAPCloud: { typeKey: 'RFC', typeName: 'ABAP Cloud System' },
  ABAPCloudSNC: { typeKey: 'RFC_SNC', typeName: 'ABAP Cloud System (SNC)' },
  K8S: { typeKey: 'K8S', typeName: 'K8s Cluster' },
  HANA: { typeKey: 'HANA_DB', typeName: 'HANA Database' },
  VirtualMachine: { typeKey: 'HCPVM', typeName: 'Virtual Machine' },
}
