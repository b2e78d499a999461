import { type Fault, machineOf, type Scene, untilTakenOver } from '../fault.ts'
import { cut, type Direction, machineNames } from '../network.ts'

/** Packets between the victim and all other machines disappear, in one direction or in both. Administrators and applications beside the machines still reach them. */
function partition(name: string, title: string, hears: boolean, isHeard: boolean): Fault {
  return {
    name,
    title,
    victims: ['server', 'master', 'shadow', 'link'],
    lasts: untilTakenOver(8_000, 60_000),
    inflict: (scene) =>
      cut(pairsOf(scene).flatMap(({ from, to }) => [...(isHeard ? [] : [{ from, to }]), ...(hears ? [] : [{ from: to, to: from }])])),
  }
}

export const deaf: Fault = partition('deaf', 'hears nothing (one-way partition)', false, true)
export const mute: Fault = partition('mute', 'is not heard (one-way partition)', true, false)
export const isolated: Fault = partition('isolated', 'cut off (two-way partition)', false, false)

/** From the victim to each of the others. */
function pairsOf(scene: Scene): readonly Direction[] {
  if (scene.victim === 'link') return [{ from: scene.master.name, to: scene.shadow.name }]
  const { name } = machineOf(scene)
  return machineNames.filter((other) => other !== name).map((to) => ({ from: name, to }))
}
