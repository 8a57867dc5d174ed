import type { OrgId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { Broker } from '../../usecases/broker.ts';
import { profileOf } from '../../usecases/connections/profile-of.ts';
import type { Answer } from '../http/route.ts';
import { presentDetail } from '../schemas/connection.ts';

/** A connection as an organisation sees it, with the ETag that `If-Match` takes. */
export function detailAnswer(broker: Broker, stored: StoredConnection, org: OrgId, status = 200): Answer {
  const { publicBaseUrl } = broker.policy;
  const spelling = profileOf(broker, stored.connection.config).scopes;
  const json = presentDetail(stored, { now: broker.clock.now(), publicBaseUrl, org, spelling });
  return { status, json, headers: { etag: `"${stored.connection.revision}"` } };
}
