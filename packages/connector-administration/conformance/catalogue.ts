/** One method of one path of the REST API, as cloud-connector.md §8 lists it. */
export interface CatalogueEntry {
  readonly method: string
  readonly path: string
  /** Who may call; groups as the original has them. */
  readonly roles: readonly string[]
  /** Status of a call that changes something on a shadow. */
  readonly onShadow: 400 | 403 | undefined
  /** Status of a call on a master. */
  readonly onMaster: 403 | undefined
}

const all = ['sccadmin', 'sccassocadmin', 'sccsubadmin', 'sccsupport', 'sccdisplay', 'sccmonitoring']
const groups: Readonly<Record<string, readonly string[]>> = {
  All: all,
  A: ['sccadmin'],
  AA: ['sccadmin', 'sccassocadmin'],
  Edit: ['sccadmin', 'sccassocadmin', 'sccsubadmin'],
  S: ['sccadmin', 'sccsupport'],
}
const places: readonly (readonly [string, string])[] = [
  ['<map>', '<sub>/systemMappings/v:1'],
  ['<sub>', '/api/v1/configuration/subaccounts/cf.nowhere.example/nobody'],
  ['<op>', '<cfg>/onPremises'],
  ['<cfg>', '/api/v1/configuration/connector'],
  ['<ldap>', '/api/v2/configuration/connector/authentication'],
]

/** Methods of a path share what stands behind them: who may call, and what the other role of a pair answers. */
const table = `
  §8.3 Connector basics
  GET                   <cfg>                                                  All
  PUT                   <cfg>                                                  AA    shadow 403
  GET                   /api/v1/connector/version                              All
  GET                   /api/v1/configuration/availableCipherSuites            All
  GET                   <cfg>/haRole                                           All
  POST                  <cfg>/haRole                                           A
  GET                   <cfg>/proxy                                            All
  PUT DELETE            <cfg>/proxy                                            A     shadow 403
  §8.4 High availability
  GET                   <cfg>/ha/master/config                                 All   shadow 400
  PUT                   <cfg>/ha/master/config                                 A     shadow 400
  GET                   <cfg>/ha/master/state                                  All   shadow 400
  POST DELETE           <cfg>/ha/master/state                                  A     shadow 400
  GET                   <cfg>/ha/shadow/config                                 All   master 403
  PUT                   <cfg>/ha/shadow/config                                 A     master 403
  GET                   <cfg>/ha/shadow/state                                  All   master 403
  POST DELETE           <cfg>/ha/shadow/state                                  A     master 403
  §8.5 Authentication and UI
  GET                   <cfg>/authentication                                   All
  PUT                   <cfg>/authentication/basic                             A
  PUT                   <cfg>/authentication/ldap                              A
  GET                   <ldap>                                                 All
  GET                   <ldap>/ldap                                            All
  PUT                   <ldap>/ldap                                            A
  POST                  <ldap>/ldap/servers                                    A
  GET                   <ldap>/ldap/servers/none                               All
  PUT DELETE            <ldap>/ldap/servers/none                               A
  POST                  <ldap>/ldap/servers/none/move                          A
  GET                   <cfg>/ui/uiCertificate                                 All
  POST PATCH PUT        <cfg>/ui/uiCertificate                                 AA
  GET                   <cfg>/ui/cipherSuites                                  All
  POST DELETE           <cfg>/ui/cipherSuites                                  A
  §8.6 On-premise certificates, trust, propagation settings
  GET                   <op>/systemCertificate                                 All
  POST PATCH PUT DELETE <op>/systemCertificate                                 AA    shadow 403
  GET                   <op>/ppCaCertificate                                   All
  POST PATCH PUT DELETE <op>/ppCaCertificate                                   AA    shadow 403
  GET                   <op>/truststore                                        All
  PATCH                 <op>/truststore                                        AA    shadow 403
  GET                   <op>/truststore/certificates                           All
  POST DELETE           <op>/truststore/certificates                           AA    shadow 403
  GET                   <op>/truststore/certificates/none                      All
  DELETE                <op>/truststore/certificates/none                      AA    shadow 403
  GET                   <op>/ppSettings                                        All
  PUT PATCH             <op>/ppSettings                                        Edit  shadow 403
  GET                   <op>/subjectPatternRules                               All
  POST                  <op>/subjectPatternRules                               AA    shadow 403
  PUT DELETE            <op>/subjectPatternRules/7                             AA    shadow 403
  POST                  <op>/subjectPatternRules/7/move                        AA    shadow 403
  GET                   <op>/subjectPatternRules/0/sampleCertificate           AA
  §8.7 Logs, audit, alerting, e-mail, solution management, backup
  GET                   <cfg>/logAndTrace                                      All
  PATCH                 <cfg>/logAndTrace                                      S
  GET                   <cfg>/logAndTrace/subaccounts/cf.nowhere.example/none  All
  PATCH                 <cfg>/logAndTrace/subaccounts/cf.nowhere.example/none  S
  GET                   <cfg>/auditLog                                         All
  PATCH                 <cfg>/auditLog                                         A
  GET                   <cfg>/auditLog/subaccounts/cf.nowhere.example/none     All
  PATCH                 <cfg>/auditLog/subaccounts/cf.nowhere.example/none     A
  GET                   <cfg>/alerting                                         All
  PUT PATCH             <cfg>/alerting                                         A
  GET                   <cfg>/email                                            All
  PUT PATCH             <cfg>/email                                            AA
  GET                   <cfg>/email/truststore                                 All
  GET                   <cfg>/email/truststore/certificates                    All
  POST DELETE           <cfg>/email/truststore/certificates                    AA
  GET                   <cfg>/email/truststore/certificates/none               All
  DELETE                <cfg>/email/truststore/certificates/none               AA
  GET                   <cfg>/solutionManagement                               All
  POST DELETE           <cfg>/solutionManagement                               S
  GET                   <cfg>/solutionManagement/registrationFile              S
  POST PUT              /api/v1/configuration/backup                           A     shadow 403
  §8.8 Subaccounts
  GET                   /api/v1/configuration/subaccounts                      All
  GET                   /api/v1/configuration/subaccounts/corrupted            All
  POST                  /api/v1/configuration/subaccounts                      Edit  shadow 403
  GET                   <sub>                                                  All
  PUT DELETE            <sub>                                                  Edit  shadow 403
  PUT                   <sub>/state                                            Edit  shadow 403
  POST                  <sub>/validity                                         Edit  shadow 403
  GET                   <sub>/trust                                            All
  PUT                   <sub>/trust                                            Edit  shadow 403
  POST                  <sub>/trust                                            Edit  shadow 403
  GET                   <sub>/trust/idps                                       All
  GET                   <sub>/trust/apps                                       All
  GET                   <sub>/trust/idps/1                                     Edit
  GET                   <sub>/trust/apps/1                                     Edit
  PUT                   <sub>/trust/idps/1                                     Edit  shadow 403
  PUT                   <sub>/trust/apps/1                                     Edit  shadow 403
  POST PUT DELETE       <sub>/recovery                                         All
  POST PUT DELETE       <sub>/recovery/validity                                All
  POST PUT DELETE       <sub>/recovery/state                                   All
  POST PUT DELETE       <sub>/recovery/takeover                                All
  §8.9 Mappings, resources, authority lists, domains
  GET                   <sub>/systemMappings                                   All
  POST DELETE           <sub>/systemMappings                                   Edit  shadow 403
  GET                   <map>                                                  All
  PUT DELETE            <map>                                                  Edit  shadow 403
  GET                   <map>/resources                                        All
  POST DELETE           <map>/resources                                        Edit  shadow 403
  GET                   <map>/resources/-                                      All
  PUT DELETE            <map>/resources/-                                      Edit  shadow 403
  GET                   <map>/allowedClients                                   All
  POST PATCH DELETE     <map>/allowedClients                                   Edit  shadow 403
  DELETE                <map>/allowedClients/100                               Edit  shadow 403
  GET                   <map>/blockedClientUsers                               All
  POST PATCH DELETE     <map>/blockedClientUsers                               Edit  shadow 403
  DELETE                <map>/blockedClientUsers/100:JANE                      Edit  shadow 403
  GET                   <sub>/domainMappings                                   All
  POST DELETE           <sub>/domainMappings                                   Edit  shadow 403
  PUT DELETE            <sub>/domainMappings/intranet.example                  Edit  shadow 403
  §8.10 Service channels
  GET                   <sub>/channels/<type>                                  All
  POST DELETE           <sub>/channels/<type>                                  Edit  shadow 403
  GET                   <sub>/channels/<type>/1                                All
  PUT DELETE            <sub>/channels/<type>/1                                Edit  shadow 403
  PUT                   <sub>/channels/<type>/1/state                          Edit  shadow 403
  DELETE                <sub>/channels                                         Edit  shadow 403
  GET                   <sub>/availableChannels/HANA                           All
  GET                   <sub>/availableChannels/VirtualMachine                 All
  GET                   <sub>/channels                                         All
  POST                  <sub>/channels                                         Edit  shadow 403
  GET                   <sub>/channels/1                                       All
  PUT DELETE            <sub>/channels/1                                       Edit  shadow 403
  PUT                   <sub>/channels/1/state                                 Edit  shadow 403
`
const channelTypes = ['HANA', 'VirtualMachine', 'ABAPCloud', 'ABAPCloudSNC', 'K8S']

/** Everything that the specification lists, with names of entities that there are none of. */
export const catalogue: readonly CatalogueEntry[] = table
  .split('\n')
  .map((line) => /^ +([A-Z][A-Z ]*[A-Z]) +([</]\S*) +(\w+)(?: +(shadow|master) (\d+))?$/.exec(line))
  .flatMap((match) => {
    if (match === null) return []
    const [, methods = '', path = '', group = '', role, status] = match
    const paths = path.includes('<type>') ? channelTypes.map((type) => path.replace('<type>', type)) : [path]
    return methods.split(' ').flatMap((method) =>
      paths.map((each): CatalogueEntry => ({
        method,
        path: places.reduce((text, [name, place]) => text.replace(name, place), each),
        roles: groups[group] ?? [],
        onShadow: role === 'shadow' ? (status === '400' ? 400 : 403) : undefined,
        onMaster: role === 'master' ? 403 : undefined,
      })),
    )
  })

/** What the specification says is not supported. */
export const unsupported: readonly (readonly [method: string, path: string])[] = [
  ['PUT', '/api/v1/configuration/connector/logAndTrace'],
  ['DELETE', '/api/v1/configuration/connector/logAndTrace'],
  ['GET', '/api/v1/configuration/subaccounts/cf.nowhere.example/nobody/domainMappings/intranet.example'],
]
