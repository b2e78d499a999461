import { openDataFolder } from '../src/stack/data-folder.ts'
import { askControl, requireRunning } from '../src/control/control-client.ts'

// Started by a test with an environment of its own: asks the running process, and prints the answer.
const answer = await askControl(await requireRunning(openDataFolder(process.argv[2] ?? '')), 'echo', { a: 1 })
process.stdout.write(JSON.stringify(answer))
