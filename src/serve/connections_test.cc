#include "serve/connections.h"

#include <gmock/gmock.h>

#include <fstream>

#include "base/testing/temporary_folder.h"

namespace lo::serve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Connections = std::map<std::string, std::string>;

class ConnectionsTest : public testing::Test {
 protected:
  Result<Connections> read(const std::string& text, const std::vector<std::string>& environment = {}) {
    auto path = folder_.path() / "connections.yaml";
    std::ofstream(path) << text;
    return read_connections(path, environment);
  }

  TemporaryFolder folder_;
};

TEST_F(ConnectionsTest, AreOfTheFileAndOfTheEnvironment) {
  auto found = read("shop: postgresql://me:sesame@db/shop\nlocal: sqlite:////tmp/a.db\n", {"HOME=/", "ORCHESTRA_CONNECTION_SHOP=postgres://other/shop"});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, (Connections{{"local", "sqlite:////tmp/a.db"}, {"shop", "postgres://other/shop"}}));
  EXPECT_EQ(read(R"({"a": "sqlite:////a.db"})").value(), (Connections{{"a", "sqlite:////a.db"}}));
  EXPECT_EQ(read_connections("", {"ORCHESTRA_CONNECTION_X_1=sqlite:////b"}).value(), (Connections{{"x_1", "sqlite:////b"}}));
  EXPECT_EQ(read_connections("", {}).value(), Connections{});
}

TEST_F(ConnectionsTest, ErrorsNameTheConnectionAndNoPassword) {
  for (auto text : {"shop: mysql://me:sesame@db/shop", "shop: sqlite:///sesame", "shop: [sesame]", "'a b': postgresql://me:sesame@db", "- sesame", "shop: 'sesame", "shop: sesame: x"}) {
    auto found = read(text);
    ASSERT_FALSE(found) << text;
    EXPECT_THAT(found.error().message, AllOf(HasSubstr("connections.yaml"), Not(HasSubstr("sesame")))) << text;
  }
  EXPECT_THAT(read("shop: mysql://x").error().message, HasSubstr("'shop'"));
  auto variable = read_connections("", {"ORCHESTRA_CONNECTION_SHOP=sesame"});
  EXPECT_THAT(variable.error().message, AllOf(HasSubstr("ORCHESTRA_CONNECTION_SHOP"), Not(HasSubstr("sesame"))));
  EXPECT_FALSE(read_connections(folder_.path() / "absent", {}));
}

TEST(Variables, AreFoundByTheirWholeName) {
  std::vector<std::string> environment{"AWS_PROFILE_X=1", "AWS_PROFILE=two=2", "EMPTY="};
  auto variables = variables_in(environment);
  EXPECT_EQ(variables("AWS_PROFILE"), "two=2");
  EXPECT_EQ(variables("EMPTY"), "");
  EXPECT_EQ(variables("AWS"), std::nullopt);
}

}  // namespace
}  // namespace lo::serve
