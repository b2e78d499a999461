import { forbidden } from '../rest/rest-error.ts'
import type { ConfigurationEditor } from './configuration-editor.ts'

/**
 * An editor for changes that a master alone makes. Whether this instance is a shadow is decided at the turn of a change: one that waited while the role was given
 * away would be acknowledged, and lost with the next configuration of the new master.
 */
export function createMasterEditor(editor: ConfigurationEditor): ConfigurationEditor {
  return {
    configuredBy: editor.configuredBy,
    get document() {
      return editor.document
    },
    change: (user, edit) =>
      editor.change(user, (document) => {
        if (document.connector.haRole === 'shadow') throw forbidden('method is not allowed for connector running with HA role shadow')
        return edit(document)
      }),
    onChange: (listener) => editor.onChange(listener),
  }
}
