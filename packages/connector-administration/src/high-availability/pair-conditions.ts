import type { HealthProbe } from '@sallyport/cloud-connector'
import type { Pair } from './pair-contract.ts'

/** What is wrong with a pair, for the list of alerts: a shadow that fell silent, a master that is not reachable. */
export function pairProbe(pair: Pair, role: () => 'master' | 'shadow' | 'undefined'): HealthProbe {
  return {
    kind: 'ha',
    look() {
      const problem = role() === 'master' ? masterProblem(pair) : shadowProblem(pair)
      if (problem === undefined) return []
      const recovery = 'Master and shadow are connected again'
      return [{ key: 'ha pair', category: 'ha', type: 'HA', message: problem, recovery, entity: '' }]
    },
  }
}

function masterProblem({ masterProblem: problem, masterState, settings }: Pair): string | undefined {
  if (masterState !== 'BROKEN') return undefined
  const shadow = settings.peer?.host ?? ''
  return `Shadow ${shadow} is not reachable or did not take the configuration${problem === undefined ? '' : ` (${problem})`}`
}

function shadowProblem({ shadowMessage = '', shadowState }: Pair): string | undefined {
  return shadowState === 'LOST' ? `Master is not reachable (${shadowMessage})` : undefined
}
