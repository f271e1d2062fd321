//===- dialect.c - The dialect's attributes and operations, from C --------===//
//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mla-c/Dialect.h"

#include "mlir-c/BuiltinAttributes.h"
#include "testing.h"

/* A program that runs what it compiled has both ABIs in one file. */
#include "mla_runtime/runtime.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)MlaRopeStyleInterleaved == (int)MLA_ROPE_INTERLEAVED &&
                   (int)MlaRopeStyleHalf == (int)MLA_ROPE_HALF &&
                   (int)MlaPhaseContext == (int)MLA_PHASE_CONTEXT &&
                   (int)MlaPhaseGeneration == (int)MLA_PHASE_GENERATION &&
                   (int)MlaRoundingDirect == (int)MLA_ROUNDING_DIRECT &&
                   (int)MlaRoundingThroughInputType ==
                       (int)MLA_ROUNDING_THROUGH_INPUT_TYPE,
               "values of the dialect and of the runtime");

static void show(const char *what, MlirAttribute attr) {
  printf("%s: ", what);
  if (mlirAttributeIsNull(attr)) {
    printf("null\n");
    return;
  }
  mlirAttributePrint(attr, print, stdout);
  printf(" rope=%d phase=%d rounding=%d\n", mlaAttributeIsARope(attr),
         mlaAttributeIsAPhase(attr), mlaAttributeIsARounding(attr));
}

static void testHandle(void) {
  printf("-- handle\n");
  MlirContext context = mlirContextCreate();
  intptr_t before = mlirContextGetNumLoadedDialects(context);
  MlirDialectHandle handle = mlirGetDialectHandle__mla__();
  mlirDialectHandleRegisterDialect(handle, context);
  MlirStringRef name = mlirDialectHandleGetNamespace(handle);
  MlirDialect found = mlirContextGetOrLoadDialect(context, str("mla"));
  MlirDialect loaded = mlirDialectHandleLoadDialect(handle, context);
  /* It depends on arith, tensor and what these do. */
  printf("namespace %.*s, loaded %d, more dialects %d\n", (int)name.length,
         name.data, mlirDialectEqual(found, loaded),
         mlirContextGetNumLoadedDialects(context) > before);
  mlirContextDestroy(context);
}

static void testRope(MlirContext context) {
  MlirAttribute ropes[] = {
      mlaRopeAttrGet(context, MlaRopeStyleHalf, 64, true),
      mlaRopeAttrGet(context, MlaRopeStyleInterleaved, 32, false),
      mlaRopeAttrGet(context, MlaRopeStyleHalf, 0, true)};
  for (int i = 0; i < 3; ++i) {
    show("rope", ropes[i]);
    printf("style %d, head_dim %d, enabled %d, live %d\n",
           mlaRopeAttrGetStyle(ropes[i]), (int)mlaRopeAttrGetHeadDim(ropes[i]),
           mlaRopeAttrIsEnabled(ropes[i]), mlaRopeAttrIsLive(ropes[i]));
  }
  MlirAttribute parsed =
      mlirAttributeParseGet(context, str("#mla.rope<half, head_dim = 64>"));
  printf("same as parsed: %d\n", mlirAttributeEqual(parsed, ropes[0]));
  show("odd", mlaRopeAttrGet(context, MlaRopeStyleHalf, 3, true));
  show("style", mlaRopeAttrGet(context, (MlaRopeStyle)3, 64, true));
}

static void testAttributes(void) {
  printf("-- attributes\n");
  /* No dialect is registered: an attribute's function loads what it needs. */
  MlirContext context = mlirContextCreate();
  mlirContextAttachDiagnosticHandler(context, printDiagnostic, NULL, NULL);
  testRope(context);

  MlirAttribute phases[] = {mlaPhaseAttrGet(context, MlaPhaseContext),
                            mlaPhaseAttrGet(context, MlaPhaseGeneration)};
  show("phase", phases[0]);
  show("phase", phases[1]);
  printf("values %d %d\n", mlaPhaseAttrGetValue(phases[0]),
         mlaPhaseAttrGetValue(phases[1]));
  show("phase", mlaPhaseAttrGet(context, (MlaPhase)0));

  MlirAttribute roundings[] = {
      mlaRoundingAttrGet(context, MlaRoundingDirect),
      mlaRoundingAttrGet(context, MlaRoundingThroughInputType)};
  show("rounding", roundings[0]);
  show("rounding", roundings[1]);
  printf("values %d %d\n", mlaRoundingAttrGetValue(roundings[0]),
         mlaRoundingAttrGetValue(roundings[1]));
  show("rounding", mlaRoundingAttrGet(context, (MlaRounding)3));

  show("unit", mlirUnitAttrGet(context));
  MlirTypeID ids[] = {mlaRopeAttrGetTypeID(), mlaPhaseAttrGetTypeID(),
                      mlaRoundingAttrGetTypeID()};
  MlirAttribute attrs[] = {mlaRopeAttrGet(context, MlaRopeStyleHalf, 64, true),
                           phases[0], roundings[0]};
  printf("type ids: own");
  for (int i = 0; i < 3; ++i)
    printf(" %d", mlirTypeIDEqual(mlirAttributeGetTypeID(attrs[i]), ids[i]));
  printf(", of another");
  for (int i = 0; i < 3; ++i)
    printf(" %d",
           mlirTypeIDEqual(mlirAttributeGetTypeID(attrs[i]), ids[(i + 1) % 3]));
  printf("\n");
  mlirContextDestroy(context);
}

static const char *kSource =
    "func.func @f(%x: tensor<4x8xf32>, %t: tensor<?x8xf32>, %p: tensor<4xi64>,"
    "             %y: tensor<4x8xf32>) -> tensor<4x8xf32> {\n"
    "  %r = mla.rope ins(x = %x : tensor<4x8xf32>, cos_sin = %t : "
    "tensor<?x8xf32>, positions = %p : tensor<4xi64>) outs(y = %y : "
    "tensor<4x8xf32>) {rope = #mla.rope<half, head_dim = 8>}\n"
    "  return %r : tensor<4x8xf32>\n"
    "}\n";

static void showValue(MlirOperation op, const char *name) {
  MlirValue operand = mlaOperationGetNamedOperand(op, str(name));
  MlirValue result = mlaOperationGetNamedResult(op, str(name));
  printf("%s: operand ", name);
  if (mlirValueIsNull(operand))
    printf("null");
  else
    printf("%d", (int)mlirBlockArgumentGetArgNumber(operand));
  printf(", result %s\n", mlirValueIsNull(result) ? "null" : "there");
}

static void testOperations(MlirContext context) {
  printf("-- operations\n");
  MlirModule module = mlirModuleCreateParse(context, str(kSource));
  MlirOperation function =
      mlirBlockGetFirstOperation(mlirModuleGetBody(module));
  MlirBlock body = mlirRegionGetFirstBlock(mlirOperationGetRegion(function, 0));
  MlirOperation rope = mlirBlockGetFirstOperation(body);
  MlirOperation end = mlirBlockGetTerminator(body);
  show("mla.rope", mlaOperationGetLiveRope(rope));
  showValue(rope, "cos_sin");
  showValue(rope, "y");
  showValue(rope, "z");
  show("func.return", mlaOperationGetLiveRope(end));
  showValue(end, "x");
  mlirOperationSetInherentAttributeByName(
      rope, str("rope"), mlaRopeAttrGet(context, MlaRopeStyleHalf, 8, false));
  show("disabled", mlaOperationGetLiveRope(rope));
  mlirModuleDestroy(module);
}

struct Bytes {
  char data[1 << 16];
  size_t length;
};

static void append(MlirStringRef text, void *userData) {
  struct Bytes *bytes = (struct Bytes *)userData;
  if (text.length > sizeof bytes->data - bytes->length)
    abort();
  memcpy(bytes->data + bytes->length, text.data, text.length);
  bytes->length += text.length;
}

static void testBytecode(MlirContext context) {
  printf("-- bytecode\n");
  static struct Bytes bytes, before, after;
  MlirModule module = mlirModuleCreateParse(context, str(kSource));
  mlirOperationPrint(mlirModuleGetOperation(module), append, &before);
  mlirOperationWriteBytecode(mlirModuleGetOperation(module), append, &bytes);
  mlirModuleDestroy(module);
  module = mlirModuleCreateParse(context,
                                 mlirStringRefCreate(bytes.data, bytes.length));
  mlirOperationPrint(mlirModuleGetOperation(module), append, &after);
  mlirModuleDestroy(module);
  printf("magic %d, read back the same %d\n",
         memcmp(bytes.data, "ML\xefR", 4) == 0,
         before.length == after.length &&
             memcmp(before.data, after.data, after.length) == 0);
}

int main(void) {
  testHandle();
  testAttributes();
  MlirContext context = createContext();
  testOperations(context);
  testBytecode(context);
  mlirContextDestroy(context);
  return 0;
}
