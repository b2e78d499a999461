import { rfcError } from '@sallyport/rfc'

export const call = async (functionName: string, _parameters: Readonly<Record<string, string>>): Promise<void> => {
  throw rfcError('ABAP_EXCEPTION', `call ${functionName} at destination "ERP"`, { key: 'USER_NOT_FOUND', requestSent: true })
}
