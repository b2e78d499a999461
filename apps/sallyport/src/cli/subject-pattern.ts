import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { patternText } from './simulated-principal.ts'

const path = '/api/v1/configuration/connector/onPremises/subjectPatternRules'

interface ShownRule {
  readonly condition: string
  readonly description?: string
  readonly subjectPattern: Readonly<Record<string, string>>
}

interface RuleOptions {
  readonly when?: string
  readonly description?: string
}

/** `principal subject-pattern list|add|set|move|remove`. */
export function addSubjectPatternCommand(principal: Command): void {
  const rules = principal
    .command('subject-pattern')
    .description('rules by which tokens become subjects; the first whose condition holds decides')
  const leaf = (name: string, description: string): Command => addAdministrationOptions(rules.command(name).description(description))

  leaf('list', 'every rule, in the order in which they are asked').action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      const found = await administration.get<readonly ShownRule[]>(path)
      printer.result({ rules: found.map((rule, index) => ({ index, ...rule })) }, () =>
        formatTable(
          ['RULE', 'CONDITION', 'SUBJECT', 'DESCRIPTION'],
          found.map(({ condition, description = '', subjectPattern }, index) => [
            String(index),
            condition,
            patternText(subjectPattern),
            description,
          ]),
        ),
      )
    })
  })

  leaf('add', 'a rule before the default one')
    .argument('<pattern>', "subject, such as 'CN=${name},O=Example'")
    .requiredOption('--when <condition>', whenHelp)
    .option('--description <text>', 'what the rule is for')
    .action(async (pattern: string, options: RuleOptions, command: Command) => {
      const condition = readCondition(options.when ?? '')
      const body = await ruleOf(pattern, condition, options.description)
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, 'principalPropagation.rules', [{ when: condition, subject: pattern }])
        await administration.send('POST', path, body)
        const index = (await administration.get<readonly ShownRule[]>(path)).length - 2
        printer.result({ index, outcome: 'added' }, () => `Rule ${index} added: ${pattern}, where ${options.when}.`)
      })
    })

  leaf('set', 'another subject or condition for a rule')
    .argument('<index>', 'number of the rule, see list')
    .argument('<pattern>', "subject, such as 'CN=${name},O=Example'")
    .option('--when <condition>', `${whenHelp}; without it that of before`)
    .option('--description <text>', 'what the rule is for; without it that of before')
    .action(async (index: string, pattern: string, options: RuleOptions, command: Command) => {
      const at = readIndex(index)
      await administering(command, async (administration, printer) => {
        const before = (await administration.get<readonly ShownRule[]>(path))[at]
        if (before === undefined) throw noSuchRule(index)
        const condition =
          options.when !== undefined
            ? readCondition(options.when)
            : before.condition === alwaysTrue
              ? undefined
              : readCondition(before.condition)
        requireAdministered(administration, 'principalPropagation.rules', [
          { ...(condition === undefined ? {} : { when: condition }), subject: pattern },
        ])
        await administration.send('PUT', `${path}/${at}`, await ruleOf(pattern, condition, options.description ?? before.description))
        printer.result({ index: at, outcome: 'changed' }, () => `Rule ${at} changed.`)
      })
    })

  leaf('move', 'ask a rule earlier or later')
    .argument('<index>', 'number of the rule, see list')
    .argument('<position>', 'the number that it gets')
    .action(async (index: string, position: string, _options: unknown, command: Command) => {
      const [at, to] = [readIndex(index), readIndex(position)]
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, 'principalPropagation.rules', undefined)
        await administration.send('POST', `${path}/${at}/move`, { position: to })
        printer.result({ index: to, outcome: 'moved' }, () => `Rule ${at} is rule ${to} now.`)
      })
    })

  leaf('remove', 'take a rule away; the default one stays')
    .argument('<index>', 'number of the rule, see list')
    .action(async (index: string, _options: unknown, command: Command) => {
      const at = readIndex(index)
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, 'principalPropagation.rules', undefined)
        await administration.send('DELETE', `${path}/${at}`)
        printer.result({ index: at, outcome: 'removed' }, () => `Rule ${at} removed.`)
      })
    })
}

const alwaysTrue = 'always true'
const whenHelp = '"<variable> exists", "<variable> does not exist", "<variable> is <value>" or "<variable> is not <value>"'

/** The text forms in which rules are shown, back into their parts. */
function readCondition(text: string): { readonly variable: string; readonly operator: string; readonly value?: string } {
  const [, variable = '', rest = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(text) ?? []
  if (rest === 'exists') return { variable, operator: 'exist' }
  if (rest === 'does not exist') return { variable, operator: 'exist_not' }
  const [, not, value] = /^is (not )?(.+)$/.exec(rest) ?? []
  if (value === undefined) throw usageError(`"${text}" is no condition; write ${whenHelp}`)
  return { variable, operator: not === undefined ? 'is' : 'is_not', value }
}

async function ruleOf(pattern: string, condition: unknown, description: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  const { parseSubjectPattern } = await import('@sallyport/principal-propagation')
  try {
    return {
      subjectPattern: parseSubjectPattern(pattern),
      ...(condition === undefined ? {} : { condition }),
      ...(description === undefined ? {} : { description }),
    }
  } catch (error) {
    throw ConnectivityError.is(error, 'MESSAGE_INVALID') ? usageError(error.message) : error
  }
}

function readIndex(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw usageError(`"${text}" is not the number of a rule; see sallyport principal subject-pattern list`)
  return Number(text)
}

function noSuchRule(index: string): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', `there is no rule ${index}`, { details: { next: 'sallyport principal subject-pattern list' } })
}
