import type { ApiDocument, ApiOperation, ApiParameter } from '../generated/api-document.ts';
import {
  apiUrl,
  jsonBody,
  jsonHeader,
  noAuth,
  organisationHeader,
  type PostmanField,
  type PostmanFolder,
  type PostmanItem,
} from './format.ts';

/** One request for each route, by the tags of the document, with its examples filled in. */
export function referenceFolder({ paths, tags }: ApiDocument): PostmanFolder {
  const items = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      tag: operation.tags[0],
      item: itemOf(method.toUpperCase(), path, operation),
    })),
  );
  return {
    name: 'Reference',
    description: 'One request for each route, with the example of the documentation.',
    item: tags.map(({ name, description }) => ({
      name,
      description,
      item: items.filter(({ tag }) => tag === name).map(({ item }) => item),
    })),
  };
}

function itemOf(method: string, path: string, operation: ApiOperation): PostmanItem {
  const { operationId, summary, description, security, parameters = [], requestBody } = operation;
  const example = requestBody?.content['application/json'].example;
  const fieldsIn = (place: ApiParameter['in']) => parameters.filter((parameter) => parameter.in === place).map(fieldOf);
  const query = fieldsIn('query');
  const variable = fieldsIn('path');
  return {
    name: operationId,
    request: {
      method,
      ...(security?.length === 0 && { auth: noAuth }),
      description: [`${summary}.`, ...(description === undefined ? [] : [description])].join('\n\n'),
      header: [...(requestBody === undefined ? [] : [jsonHeader]), ...fieldsIn('header').map(orOrganisation)],
      url: apiUrl(path.replace(/\{(\w+)\}/g, ':$1'), {
        ...(query.length > 0 && { query }),
        ...(variable.length > 0 && { variable }),
      }),
      ...(requestBody !== undefined && { body: jsonBody(example ?? {}) }),
    },
  };
}

/** What need not be there is there, switched off. */
function fieldOf(parameter: ApiParameter): PostmanField {
  const { name, description, required, example, schema } = parameter;
  return {
    key: name,
    value: String(example ?? schema.example ?? ''),
    ...(description !== undefined && { description }),
    ...(required !== true && { disabled: true }),
  };
}

function orOrganisation(field: PostmanField): PostmanField {
  return field.key === organisationHeader.key ? organisationHeader : field;
}
